// Free memory per zone against its watermarks, and what of it is of no use to the kernel.
//
// In each bar free memory lies at the left, so that it falls towards the marks: first the
// part that the request cannot have (hatched), then the part it can, then what is used.

import { formatBytes, formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";

export const MARKS = ["min", "low", "high"];

/** How roomy the rows are: classes, css pixels of a zone and of the totals above. */
const DENSITIES = [
  { classes: ["roomy"], zone: 94, totals: 152 },
  { classes: [], zone: 66, totals: 152 },
  { classes: ["compact"], zone: 45, totals: 152 },
  { classes: ["tight"], zone: 25, totals: 152 },
  { classes: ["tight", "terse"], zone: 25, totals: 110 },
  { classes: ["tight", "terse", "dense"], zone: 19, totals: 84 },
];
const DENSITY_CLASSES = [...new Set(DENSITIES.flatMap((density) => density.classes))];

export function makeBar(classes) {
  const parts = {};
  for (const name of ["useless", "usable"]) parts[name] = makeElement("i", `bar-${name}`);
  parts.el = makeElement("div", `bar ${classes}`, {}, [parts.usable, parts.useless]);
  return parts;
}

export function setBar(bar, useless, free, total) {
  bar.usable.style.width = `${(100 * free) / total}%`;
  bar.useless.style.width = `${(100 * useless) / total}%`;
}

function makeZoneRow(zone) {
  const bar = makeBar("zone-bar");
  const marks = {};
  for (const name of ["reserve", "high", "low", "min"]) {
    marks[name] = makeElement("b", `tick tick-${name}`);
    bar.el.append(marks[name]);
  }
  const free = makeElement("span", "zone-free", {}, [
    "",
    makeElement("span", "zone-unit"),
    makeElement("span", "zone-total"),
  ]);
  const note = makeElement("p", "zone-note");
  const node = makeElement("span", "zone-node", {}, `node ${zone.nid}`);
  const name = makeElement("span", "zone-name", {}, [zone.zone, " ", node]);
  const head = makeElement("div", "zone-head", {}, [name, free]);
  const el = makeElement("div", "zone", {}, [head, bar.el, note]);
  return { zone, el, bar, marks, free, note };
}

/** Whether a zone never has a page to give. */
function isIdle(recording, zone) {
  if (zone.managed > 0 || zone.present > 0) return false;
  for (let tick = 0; tick < recording.ticks; tick++) if (recording.counter(`zone${zone.id}.free`, tick) > 0) return false;
  return true;
}

/** Let a row flash once. */
export function flashRow(row) {
  row.classList.remove("hotmem-flash");
  void row.offsetWidth;
  row.classList.add("hotmem-flash");
}

function makeTotals() {
  const row = (classes, label) => {
    const value = makeElement("strong", "total-value");
    const fill = makeElement("i", `total-fill fill-${classes}`);
    const el = makeElement("div", `total total-${classes}`, {}, [
      makeElement("span", "total-label", {}, label),
      value,
      makeElement("div", "total-bar", {}, [fill]),
    ]);
    return { el, value, fill };
  };
  return {
    claim: row("claim", "MemAvailable claims"),
    have: row("have", "the kernel can have"),
    useless: row("useless", "free, but of no use to it"),
  };
}

export class ZonesPanel {
  constructor() {
    this.totals = makeTotals();
    this.list = makeElement("div", "zone-list");
    const title = "Kernel pages that another node than the wanted one had to serve, and the mean distance of all that were asked for by node; a node's own memory is at distance 10";
    this.remote = makeElement("p", "zone-note zone-remote", { title });
    const totals = Object.values(this.totals).map((total) => total.el);
    this.el = makeElement("section", "panel zones", { "aria-label": "zones" }, [
      makeElement("div", "totals", {}, totals),
      this.list,
      this.remote,
    ]);
  }

  load([{ recording }]) {
    this.recording = recording;
    const { zones } = recording.meta;
    this.rows = zones.map((zone) => ({ ...makeZoneRow(zone), idle: isIdle(recording, zone) }));
    this.list.replaceChildren(...this.rows.map((row) => row.el));
    const boots = [0, ...zones.map((zone) => zone.boot ?? 0)];
    const most = (rows) => Math.max(...boots.map((boot) => rows.filter(({ zone }) => (zone.boot ?? 0) === boot).length));
    this.most = most(this.rows);
    this.mostUsed = most(this.rows.filter((row) => !row.idle));
    const missing = !recording.hasCounter("mem_available");
    this.totals.claim.el.hidden = missing;
  }

  /** Choose how roomy the rows are, for `height` css pixels in all; zones that stay empty may have to go. */
  fit(height) {
    const fitting = (rows) => DENSITIES.find(({ zone, totals }) => totals + zone * rows <= height);
    this.few = !fitting(this.most);
    const { classes } = fitting(this.few ? this.mostUsed : this.most) ?? DENSITIES.at(-1);
    this.list.title = this.few && this.mostUsed < this.most ? "Zones that are empty all the time are left out." : "";
    for (const row of this.rows) row.el.classList.toggle("hotmem-left-out", this.few && row.idle);
    for (const name of DENSITY_CLASSES) {
      this.el.classList.toggle(`hotmem-${name}`, classes.includes(name));
    }
  }

  draw([{ recording, tick }]) {
    const page = recording.meta.page_size;
    const count = (name) => recording.counter(name, tick);
    // Of several boots, the zones of the one that runs.
    const running = recording.hasCounter("boots") ? count("boots") - 1 : undefined;
    for (const row of this.rows) {
      row.el.hidden = row.zone.boot !== running;
      if (!row.el.hidden) this.drawZone(row, (name) => count(`zone${row.zone.id}.${name}`));
    }
    const free = count("free");
    const useless = count("useless");
    const claim = count("mem_available");
    const all = recording.meta.machine.present_pages;
    const set = (total, pages) => {
      setText(total.value, formatBytes(pages * page));
      total.fill.style.width = `${Math.min(100, (100 * pages) / all)}%`;
    };
    set(this.totals.claim, claim);
    set(this.totals.have, free - useless);
    set(this.totals.useless, useless);
    const remote = count("remote");
    const mean = recording.hasCounter("distance.mean") ? `, distance ${count("distance.mean").toFixed(1)}` : "";
    const word = `remote kernel pages: ${formatCount(remote)}${mean}`;
    setText(this.remote, recording.hasCounter("remote") ? word : "");
  }

  drawZone({ zone, bar, marks, free, note, el }, value) {
    const page = this.recording.meta.page_size;
    const pages = value("free");
    const total = zone.managed || zone.present || pages || 1;
    setBar(bar, value("useless"), pages, total);
    const [amount, unit] = formatBytes(pages * page).split(" ");
    const whole = formatBytes(total * page);
    // A zone that manages no page, as a Movable one is without its boot option.
    const empty = pages === 0 && !zone.managed;
    free.firstChild.data = empty ? "empty" : amount;
    setText(free.children[0], empty ? "" : ` ${unit}`);
    free.children[0].classList.toggle("hotmem-same-unit", whole.endsWith(` ${unit}`));
    setText(free.children[1], empty ? "" : ` of ${whole} free`);
    for (const name of MARKS) marks[name].style.left = `${Math.min(100, (100 * value(name)) / total)}%`;
    const needs = value("min") + zone.reserve;
    marks.reserve.hidden = !zone.kernel || zone.reserve === 0;
    marks.reserve.style.left = `${Math.min(100, (100 * needs) / total)}%`;
    const boost = value("boost");
    const levels = MARKS.map((name) => [name, value(name)]);
    if (zone.kernel && zone.reserve) levels.push(["reserve", zone.reserve]);
    if (boost > 0) levels.push(["boost", boost]);
    const text = levels.map(([name, n]) => `${name} ${formatCount(n)}`).join(" · ");
    if (note.dataset.text !== text) {
      note.dataset.text = text;
      note.replaceChildren(
        ...levels.map(([name, n]) => makeElement("span", `level level-${name}`, {}, `${name} ${formatCount(n)}`)),
      );
    }
    const closed = zone.kernel ? "" : "A kernel request may not use this zone.\n";
    el.title = `${closed}${formatCount(pages)} pages free, ${formatCount(value("useless"))} of them of no use to a kernel request\n${text}`;
  }

  /** Let a zone's row flash: something happened there. */
  flash(_side, zoneId) {
    const row = this.rows?.find(({ zone }) => zone.id === zoneId);
    if (row) flashRow(row.el);
  }
}
