// The zones of several recordings, zone by zone, so that a bar stands above the other's.

import { formatBytes, formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { makeChip } from "./side.js";
import { flashRow, makeBar, MARKS, setBar } from "./zones.js";

const ZONE_ORDER = ["DMA", "DMA32", "Normal", "HighMem", "Movable"];

const COMPARE_TOTALS = [
  ["claim", "MemAvailable", (count) => count("mem_available")],
  ["have", "the kernel can have", (count) => count("free") - count("useless")],
  ["useless", "free, of no use to it", (count) => count("useless")],
];

/** How roomy the rows are: class, css pixels of a zone and of everything else. */
const COMPARE_DENSITIES = [
  { name: "roomy", zone: 105, rest: 128 },
  { name: "noted", zone: 78, rest: 126 },
  { name: "cozy", zone: 40, rest: 126 },
  { name: "tight", zone: 27, rest: 126 },
];

/** The zones of all recordings by node and name, in the kernel's order: [{nid, name, zones}]. */
export function matchZones(recordings) {
  const rows = new Map();
  recordings.forEach(({ meta }, side) => {
    for (const zone of meta.zones) {
      const key = `${zone.nid}/${zone.zone}`;
      if (!rows.has(key)) rows.set(key, { nid: zone.nid, name: zone.zone, zones: recordings.map(() => null) });
      rows.get(key).zones[side] = zone;
    }
  });
  const place = ({ nid, name }) => nid * ZONE_ORDER.length + ZONE_ORDER.indexOf(name);
  return [...rows.values()].sort((a, b) => place(a) - place(b));
}

function makeLine(side) {
  const bar = makeBar("zone-bar");
  const marks = {};
  for (const name of ["reserve", "high", "low", "min"]) {
    marks[name] = makeElement("b", `tick tick-${name}`);
    bar.el.append(marks[name]);
  }
  const letter = makeElement("span", `compare-letter side${side.index}`, { "aria-hidden": "true" }, side.letter);
  const value = makeElement("span", `compare-value side${side.index}`);
  const note = makeElement("span", "zone-note compare-note");
  return { bar, marks, value, note, els: [letter, bar.el, value, note] };
}

function makeCompareRow({ nid, name, zones }, sides) {
  const lines = sides.map(makeLine);
  const node = makeElement("span", "zone-node", {}, [makeElement("span", "node-word", {}, "node "), String(nid)]);
  const label = makeElement("span", "zone-name", {}, [name, " ", node]);
  const wrapped = lines.map((line, i) => makeElement("div", `compare-line line${i}`, {}, line.els));
  return { zones, lines, el: makeElement("div", "compare-zone", {}, [label, ...wrapped]) };
}

/** Write the levels of a zone; the style sheet leaves some out where there is little room. */
function drawNote(note, levels) {
  const words = levels.map(([name, pages], i) => [name, `${i ? " · " : ""}${name} ${formatCount(pages)}`]);
  const text = words.map(([, word]) => word).join("");
  if (note.textContent === text) return text;
  note.replaceChildren(...words.map(([name, word]) => makeElement("span", `note-${name}`, {}, word)));
  return text;
}

function drawLine({ bar, marks, value, note }, zone, recording, tick) {
  if (!zone) {
    setText(value, "no zone");
    bar.el.style.visibility = "hidden";
    return;
  }
  const count = (name) => recording.counter(`zone${zone.id}.${name}`, tick);
  const total = zone.managed || zone.present || 1;
  setBar(bar, count("useless"), count("free"), total);
  setText(value, formatBytes(count("free") * recording.meta.page_size));
  const levels = MARKS.map((name) => [name, count(name)]);
  for (const [name, pages] of levels) marks[name].style.left = `${Math.min(100, (100 * pages) / total)}%`;
  marks.reserve.hidden = !zone.kernel || zone.reserve === 0;
  marks.reserve.style.left = `${Math.min(100, (100 * (count("min") + zone.reserve)) / total)}%`;
  if (!marks.reserve.hidden) levels.push(["reserve", zone.reserve]);
  if (count("boost") > 0) levels.push(["boost", count("boost")]);
  const text = drawNote(note, levels);
  bar.el.title = `${formatCount(count("free"))} of ${formatCount(total)} pages free; ${text}`;
}

export class ComparePanel {
  constructor() {
    this.totals = makeElement("div", "compare-totals");
    this.list = makeElement("div", "zone-list");
    this.el = makeElement("section", "panel zones compare", { "aria-label": "zones", hidden: true }, [
      this.totals,
      this.list,
    ]);
  }

  load(sides) {
    this.rows = matchZones(sides.map((side) => side.recording)).map((row) => makeCompareRow(row, sides));
    this.list.replaceChildren(...this.rows.map((row) => row.el));
    this.values = COMPARE_TOTALS.map(([name]) =>
      sides.map((side) => makeElement("strong", `total-value total-${name} side${side.index}`)),
    );
    const labels = COMPARE_TOTALS.map(([, label]) => makeElement("span", "total-label", {}, label));
    this.totals.replaceChildren(
      makeElement("span", "total-label"),
      ...sides.map((side) => makeChip(side.index)),
      ...labels.flatMap((label, i) => [label, ...this.values[i]]),
    );
  }

  /** Choose how roomy the rows are, for `height` css pixels in all; below the map that is no limit. */
  fit(height, wide) {
    const fits = ({ name, zone, rest }) =>
      rest + zone * this.rows.length <= height || (!wide && name === "cozy");
    const chosen = COMPARE_DENSITIES.find(fits) ?? COMPARE_DENSITIES.at(-1);
    for (const { name } of COMPARE_DENSITIES) this.el.classList.toggle(`hotmem-${name}`, name === chosen.name);
  }

  draw(sides) {
    for (const { zones, lines } of this.rows) {
      sides.forEach(({ recording, tick }, i) => drawLine(lines[i], zones[i], recording, tick));
    }
    sides.forEach(({ recording, tick }, i) => {
      const count = (name) => recording.counter(name, tick);
      COMPARE_TOTALS.forEach(([name, , pages], t) => {
        const known = recording.hasCounter(name === "claim" ? "mem_available" : "free");
        setText(this.values[t][i], known ? formatBytes(pages(count) * recording.meta.page_size) : "–");
      });
    });
  }

  /** Let a zone's row flash: something happened there. */
  flash(side, zoneId) {
    const row = this.rows?.find(({ zones }) => zones[side]?.id === zoneId);
    if (row) flashRow(row.el);
  }
}
