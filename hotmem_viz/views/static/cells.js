// Which pages, sections and zones the cells of the map are. Pure.

/** Zones that have pages in a section, lowest id first, with their overlap in pages. */
export function zonesOfSection(meta, section) {
  const first = section * meta.machine.section_pages;
  const end = first + meta.machine.section_pages;
  return meta.zones
    .map((zone) => ({
      zone,
      pages: Math.min(zone.end_pfn, end) - Math.max(zone.start_pfn, first),
    }))
    .filter((row) => row.pages > 0);
}

/** Of several boots on one map, the place of that in whose band a pfn lies; else 0. */
export function bootOfPfn(meta, pfn) {
  return Math.max(0, (meta.boots ?? []).findLastIndex((boot) => boot.first_pfn <= pfn));
}

/** A pfn as the machine that booted numbers it. */
export function ownPfn(meta, pfn) {
  return pfn - (meta.boots?.[bootOfPfn(meta, pfn)].first_pfn ?? 0);
}

/** A section's number as the machine that booted numbers it. */
export function ownSection(meta, section) {
  const pages = meta.machine.section_pages;
  return Math.floor(ownPfn(meta, section * pages) / pages);
}

/** Consecutive sections of one node and zone, and runs of absent sections between them. */
export function groupSections(meta) {
  const groups = [];
  meta.sections.forEach((section, index) => {
    const zones = zonesOfSection(meta, section);
    const main = zones.reduce((best, row) => (row.pages > best.pages ? row : best), zones[0]);
    const key = main ? main.zone.id : -1;
    let group = groups.at(-1);
    const previous = index > 0 ? meta.sections[index - 1] : -1;
    // Between the bands of two boots there is no memory missing, there is nothing at all.
    const absent = Math.min(section - previous - 1, ownSection(meta, section));
    const boot = bootOfPfn(meta, section * meta.machine.section_pages);
    if (!group || group.key !== key) {
      group = { key, nid: main ? main.zone.nid : 0, zone: main?.zone, boot, items: [], names: [] };
      groups.push(group);
    }
    if (absent > 0) group.items.push({ hole: true, first: section - absent, count: absent });
    group.items.push({ index, section });
    for (const row of zones) {
      if (!group.names.includes(row.zone.zone)) group.names.push(row.zone.zone);
    }
  });
  groups.forEach((group, g) => {
    group.label = `node ${group.nid} · ${group.names.join(" + ") || "no zone"}`;
    // Of several boots on one map, each is named where it begins.
    const begins = group.boot !== groups[g - 1]?.boot;
    if (begins && meta.boots) group.label = `${meta.boots[group.boot].title}: ${group.label}`;
  });
  return groups;
}

/** The cell that holds a pfn, or -1. */
export function cellOfPfn(meta, pfn) {
  const section = Math.floor(pfn / meta.machine.section_pages);
  const index = meta.sections.indexOf(section);
  if (index < 0) return -1;
  const page = pfn - section * meta.machine.section_pages;
  return index * meta.cells_per_section + Math.floor(page / meta.pages_per_cell);
}

/** First pfn of a cell. */
export function pfnOfCell(meta, cell) {
  const index = Math.floor(cell / meta.cells_per_section);
  const inside = cell - index * meta.cells_per_section;
  return meta.sections[index] * meta.machine.section_pages + inside * meta.pages_per_cell;
}

/** The zone that spans a pfn, or undefined. */
export function zoneOfPfn(meta, pfn) {
  return meta.zones.find((zone) => pfn >= zone.start_pfn && pfn < zone.end_pfn);
}
