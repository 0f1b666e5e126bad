// The exact state as a link's fragment: scenario, parameters, seed, tick, theme. Pure.
//
// docs/links.md has the grammar; hotmem_viz/links.py reads and writes the same in Python.

export const MOST_OF_A_LINK = 4096;
const MOST_OF_A_VALUE = 160;
const LINK_THEMES = ["auto", "light", "dark"];
const RESERVED_NAMES = ["scenario", "beside", "tick", "theme"];
const SECOND_RUNS = ["machine=64bit", "machine=pae", "movable=0", "held=1"];
const ALL_BESIDE = "all";
const PARAMETER_PREFIX = "p.";
const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$/;

/** What a link says wrongly, in one line: the name, its value, and what is allowed. */
export class LinkError extends Error {
  constructor(name, value, allowed) {
    super(`${shorten(name)}: '${shorten(value)}' is not allowed; ${allowed}`);
    this.parameter = name;
    this.allowed = allowed;
  }
}

function shorten(text) {
  const line = text.replace(/\p{C}/gu, "?");
  return line.length > MOST_OF_A_VALUE ? `${line.slice(0, MOST_OF_A_VALUE - 3)}...` : line;
}

function decodeValue(name, raw) {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new LinkError(name, raw, "after a percent sign, two digits of a byte of UTF-8 text are needed");
  }
}

/**
 * Read a fragment, or the fragment of a whole link: {scenario, beside, tick, theme, parameters}.
 *
 * scenario and beside are null where the link says nothing; parameters is a Map of texts. Throws
 * a LinkError for what is no link.
 */
export function splitFragment(text) {
  if (text.length > MOST_OF_A_LINK) throw new LinkError("link", text, "a link has at most 4,096 characters");
  const hash = text.indexOf("#");
  const said = new Map();
  const parameters = new Map();
  for (const part of text.slice(hash + 1).trim().split("&")) {
    if (!part) continue;
    const equals = part.indexOf("=");
    if (equals < 1) throw new LinkError("link", part, "name=value, joined by &, is needed");
    const name = part.slice(0, equals);
    const value = decodeValue(name, part.slice(equals + 1));
    const bare = name.startsWith(PARAMETER_PREFIX) ? name.slice(PARAMETER_PREFIX.length) : name;
    const where = RESERVED_NAMES.includes(name) ? said : parameters;
    if (where.has(bare)) throw new LinkError(name, value, "a link gives each name once");
    where.set(bare, value);
  }
  const { tick = "0", theme = "auto", scenario = null, beside = null } = Object.fromEntries(said);
  if (!/^[0-9]{1,9}$/.test(tick)) throw new LinkError("tick", tick, "a whole number from 0 is needed");
  if (!LINK_THEMES.includes(theme)) throw new LinkError("theme", theme, `allowed are ${LINK_THEMES.join(", ")}`);
  return { scenario, beside, tick: Number(tick), theme, parameters };
}

const encodeValue = (text) =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:40|3A|2C|2F|3D)/g, decodeURIComponent);

const valueText = (value) => (value === null ? "none" : String(value));

/** The state of what is shown at a tick, or "" for what no scenario has made, such as a capture. */
export function writeLink({ recordings, by }, tick, theme) {
  const { scenario, parameters, defaults } = recordings[0].meta;
  const second = defaults ? secondRun(recordings, by) : null;
  if (!defaults || (recordings.length > 1 && second === null)) return "";
  const parts = [["scenario", scenario]];
  for (const [name, value] of Object.entries(parameters)) {
    if (name !== "seed" && value === defaults[name]) continue;
    parts.push([RESERVED_NAMES.includes(name) ? PARAMETER_PREFIX + name : name, valueText(value)]);
  }
  if (second !== null) parts.push(["beside", second]);
  parts.push(["tick", String(tick)]);
  if (theme !== "auto") parts.push(["theme", theme]);
  return parts.map(([name, value]) => `${name}=${encodeValue(value)}`).join("&");
}

/** The one parameter in which two runs usually differ, by what their cursor goes along. */
const BESIDE_BY = { objects: "profile", installed: "profile", step: "strategy" };

/**
 * What stands beside the first: a kernel, a strategy, or one parameter with its value; null for none
 * that a link can name. More than two are all strategies.
 */
function secondRun(recordings, by) {
  if (recordings.length > 2) return by === "step" ? ALL_BESIDE : null;
  const [left, right] = recordings.map(({ meta }) => meta);
  const key = Object.hasOwn(BESIDE_BY, by) ? BESIDE_BY[by] : "";
  if (recordings.length !== 2 || !right.defaults || left.scenario !== right.scenario) return null;
  const given = right.parameters;
  if (!(key in given)) return null;
  const differing = Object.keys(left.parameters).filter((name) => left.parameters[name] !== given[name]);
  if (differing.every((name) => name === key)) return given[key];
  const other = differing.map((name) => `${name}=${valueText(given[name])}`).join("&");
  return SECOND_RUNS.includes(other) ? other : null;
}

function isValue(text, value) {
  return typeof value === "number" ? NUMBER.test(text) && Number(text) === value : text === valueText(value);
}

/**
 * What a page that holds one run makes of a link: {tick, theme}.
 *
 * Throws a LinkError for a name or a tick that the run has not, and an Error that says so for a
 * link to another run. A link of a tick or a theme alone is to whatever the page holds.
 */
export function readLink(text, { recordings, by }, ticks) {
  const { scenario, beside, tick, theme, parameters } = splitFragment(text);
  const [{ meta }] = recordings;
  const here = "This page holds another run: here";
  if (scenario !== null && scenario !== meta.scenario) {
    throw new Error(`${here}, scenario is '${meta.scenario}', not '${shorten(scenario)}'`);
  }
  for (const [name, value] of parameters) {
    if (Object.hasOwn(meta.parameters, name)) continue;
    throw new LinkError(name, value, `parameters are ${Object.keys(meta.parameters).join(", ")}`);
  }
  const named = scenario !== null || parameters.size > 0;
  for (const [name, value] of named ? Object.entries(meta.parameters) : []) {
    const wanted = parameters.get(name) ?? valueText(meta.defaults?.[name] ?? null);
    if (!isValue(wanted, value)) {
      throw new Error(`${here}, ${name} is '${shorten(valueText(value))}', not '${shorten(wanted)}'`);
    }
  }
  const other = meta.defaults ? secondRun(recordings, by) : null;
  if ((named || beside !== null) && beside !== other) {
    const words = [other, beside].map((run) => (run === null ? "no second run" : `'${shorten(run)}'`));
    throw new Error(`${here}, beside is ${words[0]}, not ${words[1]}`);
  }
  if (tick >= ticks) throw new LinkError("tick", String(tick), `a whole number from 0 to ${ticks - 1} is needed`);
  return { tick, theme };
}
