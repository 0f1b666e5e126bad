// What lies under the pointer, in words.

import { ownPfn, ownSection, pfnOfCell, zoneOfPfn } from "./cells.js";
import { formatBytes, formatCount, formatType } from "./format.js";
import { makeElement } from "./dom.js";
import { swatchStyle } from "./painter.js";

const MIGRATE_TYPES = ["UNMOVABLE", "MOVABLE", "RECLAIMABLE", "HIGHATOMIC", "CMA", "ISOLATE"];
const HALF_WINDOW = 0.5;

export function typeName(type) {
  return formatType(MIGRATE_TYPES[type] ?? `type ${type}`);
}

/** The look of the state that section `index` is in, or undefined where none ever changes. */
export function stateOf(recording, { sections }, index) {
  return sections && recording.sectionStates[sections.state[index]];
}

/**
 * Facts about a page, or about a cell of many, ready for words: its place, and what `facts` adds.
 *
 * pfn: of the recording; what is told is what the machine itself calls it.
 */
export function describePage(recording, pfn, facts) {
  const { meta } = recording;
  const { section_pages: sectionPages } = meta.machine;
  const own = ownPfn(meta, pfn);
  return {
    pfn: own,
    address: `0x${(own * meta.page_size).toString(16)}`,
    section: ownSection(meta, Math.floor(pfn / sectionPages)),
    page: pfn % sectionPages,
    zone: zoneOfPfn(meta, pfn),
    ...facts,
  };
}

/** Facts of a cell at the tick that the tracks stand at. */
export function describeCell(recording, tracks, cell) {
  const { meta } = recording;
  const block = Math.floor((cell * meta.pages_per_cell) / meta.machine.pageblock_pages);
  return describePage(recording, pfnOfCell(meta, cell), {
    pages: meta.pages_per_cell,
    kind: recording.kinds[tracks.kind.state[cell]],
    owner: tracks.owner ? meta.owners.find((o) => o.id === tracks.owner.state[cell]) : undefined,
    type: tracks.migratetype ? typeName(tracks.migratetype.state[block]) : undefined,
    state: stateOf(recording, tracks, Math.floor(cell / meta.cells_per_section)),
  });
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function factRow(name, value) {
  return [makeElement("dt", "", {}, name), makeElement("dd", "", {}, value)];
}

export class Tooltip {
  constructor() {
    this.el = makeElement("div", "tooltip", { role: "tooltip", hidden: true });
  }

  hide() {
    this.el.hidden = true;
  }

  /** Show facts of a page or of a cell of many pages near a pointer event. */
  showFacts(facts, theme, event, root) {
    const { kind, zone, pages, pfn, state } = facts;
    // A veiled section's frames belong to no zone, whatever zone spans them.
    const veiled = Boolean(state) && state.veil !== "none";
    const where = zone && !veiled ? `node ${zone.nid} · ${zone.zone}` : "no zone";
    const many = pages > 1 ? `least movable of ${formatCount(pages)} pages: ` : "";
    const owner = facts.owner && facts.owner.id !== 0 ? ` · ${facts.owner.name}` : "";
    const title = veiled ? capital(state.label) : `${many}${kind.label}${owner}`;
    const swatch = makeElement("span", "swatch", { "aria-hidden": "true" });
    swatch.style.background = swatchStyle(kind, theme);
    const last = pfn + pages - 1;
    const plain = !state || state.line === "none";
    const stands = plain ? "" : `, ${state.label}`;
    const rows = [
      ...factRow("pfn", pages > 1 ? `${formatCount(pfn)} – ${formatCount(last)}` : formatCount(pfn)),
      ...factRow("address", facts.address + (pages > 1 ? ` + ${formatBytes(pages * 4096)}` : "")),
      ...factRow("section", `§${facts.section}${stands}, page ${formatCount(facts.page)}`),
      ...factRow("zone", where),
    ];
    if (facts.type && !veiled) rows.push(...factRow("pageblock", facts.type));
    const whys = veiled ? [state.why] : [kind.why, plain ? "" : `${capital(state.label)}: ${state.why}`];
    this.el.replaceChildren(
      makeElement("p", "tip-title", {}, [swatch, title]),
      makeElement("dl", "facts", {}, rows),
      ...whys.filter(Boolean).map((why) => makeElement("p", "tip-why", {}, why)),
    );
    this.place(event, root);
  }

  showText(text, event, root) {
    this.el.replaceChildren(makeElement("p", "tip-why", {}, text));
    this.place(event, root);
  }

  /** Show facts as [name, value] below a title. */
  showRows(title, rows, event, root) {
    this.el.replaceChildren(
      makeElement("p", "tip-title", {}, title),
      makeElement("dl", "facts", {}, rows.flatMap(([name, value]) => factRow(name, value))),
    );
    this.place(event, root);
  }

  place(event, root) {
    this.el.hidden = false;
    const box = root.getBoundingClientRect();
    const tip = this.el.getBoundingClientRect();
    const right = event.clientX > box.left + box.width * HALF_WINDOW;
    const x = event.clientX - box.left + (right ? -tip.width - 16 : 16);
    const lowest = Math.min(box.height, window.innerHeight - box.top) - tip.height - 6;
    const y = Math.min(event.clientY - box.top + 14, Math.max(0, lowest));
    this.el.style.transform = `translate(${Math.max(4, x)}px, ${y}px)`;
  }
}
