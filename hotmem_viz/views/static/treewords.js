// How changed page tables look, and page tables in words.

import { zoneOfPfn } from "./cells.js";
import { makeElement, makeSvg } from "./dom.js";
import { formatCount } from "./format.js";

/** What lights up, in the legend's order: label and the glyph of a box of size 1. */
export const TABLE_LOOKS = {
  new: ["new", "M.5 .2V.8M.2 .5H.8"],
  filled: ["more entries", "M.2 .8H.8"],
  visited: ["read", ""],
  rewritten: ["rewritten", "M.1 .5H.9"],
  moved: ["moved", "M.1 .9 .9 .1"],
  gone: ["freed", "M.15 .15 .85 .85M.85 .15 .15 .85"],
};

export const plural = (n, word) => `${formatCount(n)} ${word}${n === 1 ? "" : word.endsWith("s") ? "es" : "s"}`;

/** Counted table pages of a recording at a tick by level, lowest first, and its processes. */
export function countTables(index, recording, tick) {
  const name = (level) => `tables.${level.name.toLowerCase()}`;
  const pages = index.levels.map((level, i) =>
    recording.hasCounter(name(level)) ? recording.counter(name(level), tick) : index.knownAt(tick, i) * level.frames,
  );
  const processes = recording.hasCounter("processes") ? recording.counter("processes", tick) : index.processes[tick];
  return { pages, processes };
}

/** What a walk did, in words; "" where there is none at this tick. */
export function walkWords({ tables, entries, rewritten, tops }) {
  if (!tables) return "";
  const tail = tops ? `; CR3 is loaded anew for ${plural(tops, "top table")} that moved` : "";
  return `The walk reads ${plural(entries, "entrie").replace("entrie", entries === 1 ? "entry" : "entrie")} in ${plural(tables, "upper table")} and rewrites ${formatCount(rewritten)}${tail}.`;
}

/** A box that looks like a table of which something became, with a label and a count. */
export function makeTableKey(change) {
  const [label, d] = TABLE_LOOKS[change];
  const svg = makeSvg("svg", { width: 16, height: 16, "aria-hidden": "true" });
  const box = makeSvg("g", { class: `hotmem-table hotmem-table-${change}`, transform: "translate(1.5 1.5)" });
  box.append(
    makeSvg("rect", { width: 13, height: 13, rx: 2, class: "hotmem-tree-frame" }),
    makeSvg("rect", { y: 9, width: 13, height: 4, class: "hotmem-tree-fill" }),
    makeSvg("path", { d, class: "hotmem-tree-glyph", transform: "scale(13)" }),
  );
  svg.append(box);
  const count = makeElement("span", "tables-key-count");
  return { el: makeElement("span", "tables-key", {}, [svg, label, count]), count };
}

/** What is told of the table at a place: a title, [name, value] rows, the section of its frame or -1. */
export function tableFacts(index, meta, { state, root }) {
  const { life, pfn, used, changes } = state;
  const level = index.levels[life.level];
  const frame = level.frames > 0;
  const section = frame ? Math.floor(pfn / meta.machine.section_pages) : -1;
  const zone = frame ? zoneOfPfn(meta, pfn) : null;
  const what = changes.map((change) => TABLE_LOOKS[change][0]).join(", ");
  const above = life.parent ? `entry ${life.index} of its ${index.levels[life.parent.level].name} table` : "CR3";
  const rows = [
    ["pfn", frame ? formatCount(pfn) : "inside a slab page"],
    ["section", frame ? `§${section}` : "not known"],
    ["zone", zone ? `node ${zone.nid} · ${zone.zone}` : "not known"],
    ["entries in use", `${formatCount(used)} of ${formatCount(level.entries)}`],
    ["found by", above],
  ];
  if (what) rows.push(["at this tick", what]);
  return { title: `${level.name} table of process ${root.number}`, rows, section };
}
