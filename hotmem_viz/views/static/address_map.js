// The kernel's address map: which physical section a virtual one leads to, and what a look-up costs.

import { AddressDrawing } from "./address_drawing.js";
import { deviceAt, namesOfLoads, planRows, readingsAt, SectionMap } from "./addressgeometry.js";
import { clamp, formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { CellTrack } from "./playback.js";
import { prefersStill } from "./theme.js";
import { ViewsPanel } from "./viewspanel.js";

const NO_MAP = "No section moves in this run: every kernel address is found by the 1:1 map.";
const WORDS_BESIDE = 22.5;
const WORDS_BESIDE_FROM = 46;
const CLOSE_ROW = 1.36;
const ROOMY_ROW = 2.1;
const HEAD = 1.5;
const LEAST_ROWS = 6;
const WORD_LINES = 8.6;
const ROOMY_LINES = 9.8;
const LINE = 1.3;
const SAID_MOST = 2;
const BETWEEN_MAPS = 20;

const loadsOf = (n) => `${n} load${n === 1 ? "" : "s"}`;
const meanOf = (mean) => (Number.isInteger(mean) ? String(mean) : mean.toFixed(3));

/** What the map looks like at a tick, in a sentence. */
export function sayMap(moved, total) {
  if (moved.length === 0) return `All ${formatCount(total)} sections lie where the 1:1 map has them.`;
  const one = ({ section, scattered, hosts }) => {
    const pages = hosts.reduce((sum, host) => sum + host.pages, 0);
    if (!scattered) return `Virtual §${section} leads to §${hosts[0].section}: ${formatCount(pages)} pages, same addresses, other frames.`;
    return `${formatCount(pages)} pages of virtual §${section} lie in ${formatCount(hosts.length)} section${hosts.length === 1 ? "" : "s"}, each found by itself (Q1).`;
  };
  if (moved.length <= SAID_MOST) return moved.map(one).join(" ");
  return `${formatCount(moved.length)} of ${formatCount(total)} virtual sections lead elsewhere.`;
}

/** What a device knows and finds there, in a sentence; moved: whether the kernel's page has left it. */
export function sayDevice({ pfn, frame }, moved) {
  const known = `frame ${formatCount(pfn)}`;
  if (frame >= 0) return `The device reads ${known}, the kernel writes ${formatCount(frame)}.`;
  if (moved) return `A device knows ${known}; the kernel's page has left it.`;
  return `A device knows ${known} by its number.`;
}

/** One recording's map. */
class AddressView {
  constructor(host) {
    this.drawing = new AddressDrawing({ tell: host.showTip, hide: host.hideTip });
    this.chip = makeElement("span", "side-chip");
    this.badge = makeElement("span", "chip unproven", { title: "Nobody has built this: the mail proposes it." }, "unproven");
    this.summary = makeElement("span", "address-summary");
    this.cells = {};
    this.single = makeElement("p", "address-single");
    this.ways = makeElement("p", "address-single");
    this.note = makeElement("p", "address-note");
    const words = [makeElement("p", "address-lead", {}, [this.chip, this.badge, " ", this.summary]), this.single, this.makeTable(), this.ways, this.note];
    this.words = makeElement("div", "address-words", {}, words);
    this.none = makeElement("p", "optional-none", {}, NO_MAP);
    this.el = makeElement("div", "address-view", {}, [this.words, this.drawing.el, this.none]);
  }

  makeTable() {
    const cell = (key) => (this.cells[key] = makeElement("td"));
    const row = (label, key) =>
      makeElement("tr", "", {}, [makeElement("th", "", { scope: "row" }, label), cell(`every.${key}`), cell(`flagged.${key}`)]);
    const column = (words) => makeElement("th", "", { scope: "col" }, words);
    this.table = makeElement("table", "address-readings", { title: "S30 can be read both ways. Loads are the model's count; nobody has timed them." }, [
      makeElement("thead", "", {}, [
        makeElement("tr", "", {}, [column("loads if slow is"), column("every lookup"), column("moved only")]),
      ]),
      makeElement("tbody", "", {}, [row("1:1 section", "fast"), row("moved section", "slow"), row("on average", "mean")]),
    ]);
    return this.table;
  }

  load(side, named) {
    this.side = side;
    const { recording } = side;
    this.map = new SectionMap(recording);
    this.concerned = this.map.concerned;
    this.states = recording.arrays["sections.keys"] ? new CellTrack(recording.arrays, "sections") : null;
    this.drawn = null;
    const missing = this.map.track === null;
    for (const part of [this.words, this.drawing.el]) part.toggleAttribute("hidden", missing);
    this.none.hidden = !missing;
    this.chip.hidden = !named;
    this.chip.className = `hotmem-side-chip hotmem-side${side.index}`;
    setText(this.chip, side.letter);
  }

  get text() {
    return Math.max(14, Math.round(parseFloat(getComputedStyle(this.el).fontSize)));
  }

  least(width) {
    const { text } = this;
    if (!this.map.track) return Math.round(2 * text * LINE);
    const drawing = text * (HEAD + CLOSE_ROW * LEAST_ROWS);
    const words = text * LINE * WORD_LINES;
    return Math.ceil(width >= WORDS_BESIDE_FROM * text ? Math.max(drawing, words) : drawing + words);
  }

  resize(width, height) {
    const { text } = this;
    if (!this.map.track) return this.least(width);
    const beside = width >= WORDS_BESIDE_FROM * text;
    const words = beside ? Math.round(text * WORDS_BESIDE) : width;
    const drawing = beside ? 0 : text * (HEAD + CLOSE_ROW * LEAST_ROWS);
    this.roomy = height - drawing >= text * LINE * ROOMY_LINES;
    const least = text * LINE * (this.roomy ? ROOMY_LINES : WORD_LINES);
    const room = height - text * HEAD - (beside ? 0 : least);
    const rows = planRows(this.map.sections, this.concerned, Math.max(3, Math.floor(room / (text * CLOSE_ROW))));
    const rowHeight = Math.floor(clamp(room / rows.length, text * CLOSE_ROW, text * ROOMY_ROW));
    this.layout = { width: beside ? width - words - 18 : width, rows, rowHeight, text };
    this.el.classList.toggle("hotmem-address-beside", beside);
    this.el.style.setProperty("--hotmem-address-words", `${words}px`);
    this.drawn = null;
    const drawn = text * HEAD + rowHeight * rows.length;
    this.words.style.minHeight = `${Math.floor(least)}px`;
    return Math.ceil(beside ? Math.max(drawn, least) : drawn + least);
  }

  draw(theme) {
    if (!this.map.track || !this.layout) return;
    const { recording, tick } = this.side;
    const moved = this.map.movedAt(tick);
    const device = deviceAt(this.map, tick);
    const told = recording.events.some((event) => event.tick === tick && event.kind === "lookup");
    const stateOf = this.statesAt(tick, theme);
    const states = this.layout.rows.map((row) => (row.alone ? stateOf(row.first)?.label : ""));
    const key = JSON.stringify([theme, moved, device, told, states]);
    this.say(tick, moved, device);
    if (key === this.drawn) return;
    this.drawn = key;
    this.drawing.draw({
      ...this.layout,
      moved,
      size: this.map.size,
      states: stateOf,
      unproven: this.isUnproven(tick),
      device: device && { ...device, section: Math.floor(device.pfn / this.map.size) },
      lookup: told ? this.loadsAt(tick, moved) : null,
      still: prefersStill(),
    });
  }

  /** Whether the recording says of what has happened so far that nobody has built it. */
  isUnproven(tick) {
    return this.side.recording.events.some((event) => event.unproven && event.tick <= tick);
  }

  /** The names of the loads of a fast lookup and of a slow one. */
  loadsAt(tick, moved) {
    const { recording } = this.side;
    const count = (name) => recording.counter(`loads_${name}`, tick);
    return {
      fast: namesOfLoads(recording, count("fast"), false, false),
      slow: namesOfLoads(recording, count("slow"), true, moved.some((one) => one.scattered)),
    };
  }

  /** Tells of a section its state, where that is not the usual one. */
  statesAt(tick, theme) {
    const found = this.states?.seek(tick, null);
    const looks = this.side.recording.sectionStates ?? [];
    return (section) => {
      const look = found && looks.find((row) => row.id === found[this.map.sections.indexOf(section)]);
      return look && look.name !== "online" ? { label: look.label, colour: look[theme] } : null;
    };
  }

  say(tick, moved, device) {
    const { recording } = this.side;
    const map = sayMap(moved, this.map.sections.length);
    setText(this.summary, map);
    this.badge.hidden = moved.length === 0 || !this.isUnproven(tick);
    const readings = readingsAt(recording, tick);
    this.table.hidden = readings === null;
    this.single.hidden = readings !== null || !recording.hasCounter("loads_fast");
    const fast = recording.counter("loads_fast", tick);
    const names = namesOfLoads(recording, fast, false, false).join(", ");
    setText(this.single, `A lookup takes ${loadsOf(fast)}${fast ? ` (${names})` : ""} and a subtraction, whatever the address.`);
    for (const reading of ["every", "flagged"]) {
      for (const name of ["fast", "slow", "mean"]) {
        if (readings) setText(this.cells[`${reading}.${name}`], meanOf(readings[reading][name]));
      }
    }
    const gone = device && moved.some((one) => one.section === Math.floor(device.pfn / this.map.size));
    const slow = readings ? this.loadsAt(tick, moved).slow : [];
    this.ways.hidden = slow.length === 0 || device !== null || !this.roomy;
    setText(this.ways, slow.length ? `Slow: ${slow.map((name, i) => `${i + 1} ${name}`).join(", ")}.` : "");
    const open = moved.length ? "Dotted: whose struct page? (Q3)" : "";
    setText(this.note, device ? sayDevice(device, gone) : open);
    this.note.classList.toggle("hotmem-address-alarm", Boolean(device && device.frame >= 0));
    const loads = readings ? ` Loads on average: ${meanOf(readings.every.mean)} if every lookup is slow, ${meanOf(readings.flagged.mean)} if only moved sections are.` : "";
    this.drawing.el.setAttribute("aria-label", `Address map. ${map}${loads}${device ? ` ${sayDevice(device, gone)}` : ""}`);
  }
}

export class AddressMapPanel extends ViewsPanel {
  static panelName = "address_map";
  static panelTitle = "address map";
  static narrowest = 440;
  static concerns = new Set([
    "reserved", "table_written", "offline_migrated", "lookup", "corrupted", "drained", "copied_home", "target_removed",
  ]);

  /** A device's page; what is said of devices without naming a page is no part of the map. */
  static isAbout({ kind, pfn }) {
    return kind === "device_page" && pfn >= 0;
  }

  constructor(host) {
    super(makeElement("div", "address-panel"), BETWEEN_MAPS, () => new AddressView(host));
  }
}
