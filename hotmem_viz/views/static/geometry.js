// Where every section and cell of the map stands, in device pixels. Pure.
//
// Sections flow like words: a node starts a line, a zone starts a group with its label above,
// and all lines share one grid of slots. A run of absent sections takes one slot.

const LABEL_SIZE = 14;
const GROUP_LINE = 21;
const NUMBER_LINE = 18;
const LINE_GAP = 7;
const GUTTER = 46;
const MAX_CELL = 28;
const GRID_FROM = 7;
const SQUARE_BONUS = 0.5;

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

/** Consecutive sections of one node and zone, and runs of absent sections between them. */
export function groupSections(meta) {
  const groups = [];
  meta.sections.forEach((section, index) => {
    const zones = zonesOfSection(meta, section);
    const main = zones.reduce((best, row) => (row.pages > best.pages ? row : best), zones[0]);
    const key = main ? main.zone.id : -1;
    let group = groups.at(-1);
    const previous = index > 0 ? meta.sections[index - 1] : -1;
    const absent = section - previous - 1;
    if (!group || group.key !== key) {
      group = { key, nid: main ? main.zone.nid : 0, zone: main?.zone, items: [], names: [] };
      groups.push(group);
    }
    if (absent > 0) group.items.push({ hole: true, first: previous + 1, count: absent });
    group.items.push({ index, section });
    for (const row of zones) {
      if (!group.names.includes(row.zone.zone)) group.names.push(row.zone.zone);
    }
  });
  for (const group of groups) {
    group.label = `node ${group.nid} · ${group.names.join(" + ")}`;
  }
  return groups;
}

/** Slots for all groups at `perLine` slots a line: [{group, item, line, slot}] and labels. */
function flowGroups(groups, perLine, pitch, labelWidth) {
  const placed = [];
  const labels = [];
  const labelled = [];
  let line = -1;
  let slot = perLine;
  let free = 0;
  groups.forEach((group, g) => {
    const labelSlots = Math.ceil(labelWidth(group.label) / pitch);
    slot = Math.max(slot, free);
    const newNode = g === 0 || groups[g - 1].nid !== group.nid;
    if (newNode || slot + Math.min(labelSlots, perLine) > perLine) {
      line += 1;
      slot = 0;
    }
    labels.push({ group, line, slot });
    labelled[line] = true;
    free = slot + labelSlots;
    for (const item of group.items) {
      if (slot === perLine) {
        line += 1;
        slot = 0;
        free = 0;
      }
      placed.push({ group, item, line, slot });
      slot += 1;
    }
  });
  return { placed, labels, lines: line + 1, labelled };
}

function* cellShapes(cells, dpr) {
  const side = Math.sqrt(cells);
  const largest = Math.round(MAX_CELL * dpr);
  for (let columns = 1; columns <= cells; columns *= 2) {
    if (columns < side / 2 || columns > side * 6) continue;
    const rows = Math.ceil(cells / columns);
    for (let h = 1; h <= largest; h++) {
      for (let w = Math.max(1, Math.ceil(h / 2)); w <= Math.min(largest, h * 2); w++) {
        const aspect = (columns * w) / (rows * h);
        if (aspect >= 0.45 && aspect <= 3.2) yield { columns, rows, w, h };
      }
    }
  }
}

function shapeGap(width, dpr) {
  const css = width / dpr;
  return Math.round((css < 10 ? 1 : css < 24 ? 3 : css < 60 ? 6 : 9) * dpr);
}

function measureShape(shape, groups, box, numbered) {
  const { width, dpr, labelWidth } = box;
  const blockWidth = shape.columns * shape.w;
  const blockHeight = shape.rows * shape.h;
  const gap = shapeGap(blockWidth, dpr);
  const margin = Math.round(8 * dpr);
  const left = numbered ? margin : Math.round(GUTTER * dpr);
  const pitch = blockWidth + gap;
  let perLine = Math.floor((width - left - margin + gap) / pitch);
  if (perLine < 1) return null;
  const flow = (n) => flowGroups(groups, n, pitch, labelWidth);
  let best = flow(perLine);
  // The fewest slots that need no more lines: a short last line becomes a full one.
  while (perLine > 1) {
    const narrower = flow(perLine - 1);
    if (narrower.lines > best.lines || narrower.labels.length < groups.length) break;
    if (narrower.labelled.filter(Boolean).length > best.labelled.filter(Boolean).length) break;
    best = narrower;
    perLine -= 1;
  }
  const lineTop = [];
  let y = Math.round(4 * dpr);
  const numbers = numbered ? Math.round(NUMBER_LINE * dpr) : 0;
  const between = Math.round((numbered ? 4 : LINE_GAP) * dpr);
  const tight = Math.min(between, gap);
  for (let line = 0; line < best.lines; line++) {
    if (line > 0) y += best.labelled[line] ? between : tight;
    if (best.labelled[line]) y += Math.round(GROUP_LINE * dpr);
    y += numbers;
    lineTop.push(y);
    y += blockHeight;
  }
  return {
    ...shape,
    ...best,
    perLine,
    gap,
    left,
    margin,
    numbered,
    lineTop,
    blockWidth,
    blockHeight,
    height: y + Math.round(8 * dpr),
  };
}

function chooseShape(groups, box, cells) {
  let best = null;
  let lowest = null;
  for (const shape of cellShapes(cells, box.dpr)) {
    const area = shape.w * shape.h;
    const square = Math.min(shape.w, shape.h) / Math.max(shape.w, shape.h);
    const score = area * square ** SQUARE_BONUS;
    for (const numbered of [true, false]) {
      const wide = shape.columns * shape.w >= 34 * box.dpr;
      if (numbered && !wide) continue;
      if (best && score * (numbered ? 1.15 : 1) <= best.score && lowest) continue;
      const found = measureShape(shape, groups, box, numbered);
      if (!found) continue;
      found.score = score * (numbered ? 1.15 : 1);
      if (!lowest || found.height < lowest.height) lowest = found;
      if (found.height <= box.height && (!best || found.score > best.score)) best = found;
    }
  }
  return best ?? lowest;
}

/** Points of the border before cell `cell` inside a block, relative to the block. */
export function borderPath(layout, cell) {
  const { columns, w, h, blockWidth } = layout;
  const row = Math.floor(cell / columns);
  const x = (cell % columns) * w;
  if (x === 0) return [[0, row * h], [blockWidth, row * h]];
  return [[0, (row + 1) * h], [x, (row + 1) * h], [x, row * h], [blockWidth, row * h]];
}

function zoneBorders(meta, layout) {
  const borders = [];
  meta.sections.forEach((section, index) => {
    const first = section * meta.machine.section_pages;
    for (const { zone } of zonesOfSection(meta, section)) {
      if (zone.start_pfn <= first) continue;
      const cell = Math.round((zone.start_pfn - first) / meta.pages_per_cell);
      borders.push({ index, zone, cell, path: borderPath(layout, cell) });
    }
  });
  return borders;
}

/**
 * Lay out a machine's map in at most `width` x `height` css pixels.
 *
 * `labelWidth(text)` measures a label in css pixels. The result is in device pixels: canvas
 * size, cell size (w, h), columns and rows of a section, `blocks` (one per section with
 * memory, by index), `holes`, `labels`, `bands` and `borders`.
 */
export function layoutMap({ meta, width, height, dpr = 1, labelWidth }) {
  const groups = groupSections(meta);
  const box = {
    width: Math.floor(width * dpr),
    height: Math.floor(height * dpr),
    dpr,
    labelWidth: (text) => (labelWidth(text) + 14) * dpr,
  };
  const shape = chooseShape(groups, box, meta.cells_per_section);
  const { perLine, blockWidth, blockHeight, lineTop, left, margin, gap } = shape;
  const room = box.width - left - margin - perLine * blockWidth;
  const widest = gap + Math.round(blockWidth * 0.35);
  const pitch = blockWidth + (perLine > 1 ? Math.min(widest, Math.floor(room / (perLine - 1))) : 0);
  const used = (perLine - 1) * pitch + blockWidth;
  const shift = left + Math.max(0, Math.floor((box.width - left - margin - used) / 2));
  const at = ({ line, slot }) => ({ x: shift + slot * pitch, y: lineTop[line] });
  const blocks = new Array(meta.sections.length);
  const holes = [];
  const bands = [];
  for (const place of shape.placed) {
    const { group, item, line } = place;
    const spot = { ...at(place), group, line };
    if (item.hole) holes.push({ ...spot, first: item.first, count: item.count });
    else blocks[item.index] = { ...spot, index: item.index, section: item.section };
    const band = bands.at(-1);
    if (band && band.group === group && band.line === line) band.right = spot.x + blockWidth;
    else bands.push({ group, line, x: spot.x, right: spot.x + blockWidth, y: spot.y });
  }
  const layout = {
    ...shape,
    dpr,
    pitch,
    width: box.width,
    blocks,
    holes,
    bands,
    groups,
    shift,
    cells: meta.cells_per_section,
    grid: Math.min(shape.w, shape.h) >= GRID_FROM * dpr ? Math.round(dpr) : 0,
    numberLine: shape.numbered ? Math.round(NUMBER_LINE * dpr) : 0,
    groupLine: Math.round(GROUP_LINE * dpr),
    labelSize: LABEL_SIZE * dpr,
    labels: shape.labels.map((label) => ({ ...label, ...at(label) })),
  };
  layout.borders = zoneBorders(meta, layout);
  return layout;
}

/** Upper left pixel of a cell. */
export function pixelOfCell(layout, cell) {
  const index = Math.floor(cell / layout.cells);
  const inside = cell - index * layout.cells;
  const block = layout.blocks[index];
  return {
    x: block.x + (inside % layout.columns) * layout.w,
    y: block.y + Math.floor(inside / layout.columns) * layout.h,
  };
}

/** What is at a device pixel: {cell, index}, {hole}, or null. */
export function hitTest(layout, x, y) {
  const inside = (spot) =>
    x >= spot.x && y >= spot.y && x < spot.x + layout.blockWidth && y < spot.y + layout.blockHeight;
  const block = layout.blocks.find(inside);
  if (block) {
    const column = Math.floor((x - block.x) / layout.w);
    const row = Math.floor((y - block.y) / layout.h);
    const cell = row * layout.columns + column;
    return cell < layout.cells ? { index: block.index, cell: block.index * layout.cells + cell } : null;
  }
  const hole = layout.holes.find(inside);
  return hole ? { hole } : null;
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

/** Columns, rows and cell size for the pages of one section in `width` x `height`. */
export function layoutDetail(cells, width, height, minimum = 17) {
  let best = null;
  for (let columns = 8; columns <= Math.max(8, cells); columns *= 2) {
    const rows = Math.ceil(cells / columns);
    const w = Math.min(30, Math.floor(width / columns));
    const h = Math.min(30, Math.floor(height / rows));
    const size = Math.min(w, h);
    if (w < 1) break;
    const side = Math.min(w, Math.max(h, minimum));
    const candidate = { columns, rows, w: Math.min(w, side * 2), h: Math.max(1, Math.min(h, w * 2)), size };
    if (!best || candidate.size > best.size) best = candidate;
  }
  const { columns, rows } = best;
  const w = Math.max(1, best.w);
  return { columns, rows, w, h: Math.max(1, best.h), width: columns * w, height: rows * Math.max(1, best.h) };
}
