// Where every section and cell of the map stands, in device pixels. Pure.
//
// Sections flow like words: a node starts a line, a zone starts a group with its label above,
// and all lines share one grid of slots. A run of absent sections takes one slot. Of several boots
// on one map it is the boots that start lines. A terse map has no labels: nodes are named in front
// of their lines, and zones lie side by side.

import { groupSections, zonesOfSection } from "./cells.js";

const LABEL_SIZE = 14;
const NUMBER_LINE = 18 / LABEL_SIZE;
/** Heights of a label's line, and between lines; the close one where the roomy one does not fit. */
const SPACINGS = [{ group: 21 / LABEL_SIZE, gap: 7 }, { group: 18 / LABEL_SIZE, gap: 2 }];
const GUTTER = 46 / LABEL_SIZE;
const TERSE_SPACING = { group: 0, gap: 4 };
const TERSE_GUTTER = 28 / LABEL_SIZE;
const MAX_CELL = 28;
const GRID_FROM = 7;
const SQUARE_CELL = 0.4;
const SQUARE_BLOCK = 0.2;
const FULL_LINES = 0.6;
const NUMBERED_BONUS = 1.15;
const NUMBERED_FROM = 34 / LABEL_SIZE;
const EVEN_BELOW = 3;
const MOST_PER_LINE = 160;
const HARDLY_HIGHER = 1.05;

const severalBoots = (groups) => groups.at(-1).boot > 0;

/** Slots for all groups at `perLine` slots a line: [{group, item, line, slot}] and labels. */
function flowGroups(groups, perLine, pitch, { labelWidth, terse }) {
  const starter = severalBoots(groups) ? "boot" : "nid";
  const placed = [];
  const labels = [];
  const labelled = [];
  let line = -1;
  let slot = perLine;
  let free = 0;
  groups.forEach((group, g) => {
    const labelSlots = terse ? 0 : Math.ceil(labelWidth(group.label) / pitch);
    slot = Math.max(slot, free);
    const starts = g === 0 || groups[g - 1][starter] !== group[starter];
    if (starts || slot + Math.min(labelSlots, perLine) > perLine) {
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

function shapeGap(width, dpr) {
  const css = width / dpr;
  return Math.round((css < 10 ? 1 : css < 24 ? 2 : css < 60 ? 5 : 8) * dpr);
}

/** Column counts of a section worth trying: powers of two about its square root. */
function columnChoices(cells) {
  const side = Math.sqrt(cells);
  const choices = [];
  for (let columns = 1; columns <= cells; columns *= 2) {
    if (columns >= side / 2.1 && columns <= side * 6) choices.push(columns);
  }
  return choices;
}

/** Pixels before each of `n` parts of `size` pixels: widths differ by one at most. */
export function partEdges(n, size) {
  return Int32Array.from({ length: n + 1 }, (_, i) => Math.floor((i * size) / n));
}

function lineTops(flow, blockHeight, box, { numbers, group, between, tight }) {
  const tops = [];
  let y = Math.round(3 * box.dpr);
  for (let line = 0; line < flow.lines; line++) {
    if (line > 0) y += flow.labelled[line] ? between : tight;
    if (flow.labelled[line]) y += group;
    y += numbers;
    tops.push(y);
    y += blockHeight;
  }
  return { tops, height: y + Math.round(7 * box.dpr) };
}

const squareness = (a, b) => Math.min(a, b) / Math.max(a, b);

function measureShape(groups, box, cells, { columns, perLine, numbered, spacing }) {
  const { width, height, dpr, text, terse } = box;
  const rows = Math.ceil(cells / columns);
  const margin = Math.round(9 * dpr);
  const left = numbered ? margin : Math.round((terse ? TERSE_GUTTER : GUTTER) * text);
  const room = width - left - margin;
  const gap = shapeGap(room / perLine, dpr);
  const blockWidth = Math.min(
    Math.floor((room - (perLine - 1) * gap) / perLine),
    Math.round(columns * MAX_CELL * dpr),
  );
  const w = blockWidth / columns;
  if (w < 1 || (numbered && blockWidth < NUMBERED_FROM * text)) return null;
  const flow = flowGroups(groups, perLine, blockWidth + gap, box);
  const spaces = {
    numbers: numbered ? Math.round(NUMBER_LINE * text) : 0,
    group: Math.round(spacing.group * text),
    between: Math.round(spacing.gap * dpr),
    tight: numbered ? Math.round(3 * dpr) : gap,
  };
  const bare = lineTops(flow, 0, box, spaces).height;
  const share = Math.floor((height - bare) / flow.lines);
  // Rows of a few pixels must be equally high, or single pages would look uneven.
  const exact = Math.floor(share / rows);
  const tallest = Math.floor(rows * Math.min(MAX_CELL * dpr, w * 1.6));
  const fits = exact >= 1;
  let blockHeight = fits ? (exact >= EVEN_BELOW ? share : exact * rows) : rows;
  if (blockHeight > tallest) blockHeight = Math.max(rows, w * 1.6 < EVEN_BELOW ? Math.floor(w * 1.6) * rows : tallest);
  const { tops, height: total } = lineTops(flow, blockHeight, box, spaces);
  const h = blockHeight / rows;
  const score =
    w * h * squareness(w, h) ** SQUARE_CELL * squareness(blockWidth, blockHeight) ** SQUARE_BLOCK *
    (flow.placed.length / (flow.lines * perLine)) ** FULL_LINES * (numbered ? NUMBERED_BONUS : 1);
  return {
    ...flow, columns, rows, w, h, gap, left, margin, numbered, perLine, blockWidth, blockHeight,
    lineTop: tops, height: total, fits, score, groupLine: spaces.group,
  };
}

/** The best shape that fits; else the best of those that are hardly higher than the lowest, or null. */
function chooseShape(groups, box, cells) {
  const slots = groups.reduce((sum, group) => sum + group.items.length, 0);
  let found = [];
  for (const spacing of box.terse ? [TERSE_SPACING] : SPACINGS) {
    found = [];
    for (const columns of columnChoices(cells)) {
      for (let perLine = 1; perLine <= Math.min(slots, MOST_PER_LINE); perLine++) {
        const measure = (numbered) => measureShape(groups, box, cells, { columns, perLine, numbered, spacing });
        found.push(...(box.terse ? [false] : [true, false]).map(measure).filter(Boolean));
      }
    }
    if (found.some(({ fits }) => fits)) break;
  }
  const lowest = found.reduce((least, { height }) => Math.min(least, height), Infinity);
  const fitting = found.filter(({ fits }) => fits);
  const choice = fitting.length ? fitting : found.filter(({ height }) => height <= lowest * HARDLY_HIGHER);
  return choice.reduce((best, shape) => (best && best.score >= shape.score ? best : shape), null);
}

/** Points of the border before cell `cell` inside a block, relative to the block. */
export function borderPath(layout, cell) {
  const { columns, xEdges, yEdges, blockWidth } = layout;
  const row = Math.floor(cell / columns);
  const x = xEdges[cell % columns];
  const y = yEdges[row];
  if (x === 0) return [[0, y], [blockWidth, y]];
  const below = yEdges[row + 1];
  return [[0, below], [x, below], [x, y], [blockWidth, y]];
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

/** Where each boot's lines begin, from the second boot on; by its place. */
function bootTops({ labels, numberLine, groupLine, dpr }) {
  const tops = [0];
  for (const { group, y } of labels) tops[group.boot] ??= y - numberLine - groupLine - 2 * dpr;
  return tops;
}

/**
 * Lay out a machine's map in at most `width` x `height` css pixels.
 *
 * `labelWidth(label)` measures a label in css pixels, `text` is the labels' size; terse: see above. The result is in device pixels: canvas
 * size, cell size (w, h), columns and rows of a section, `blocks` (one per section with
 * memory, by index), `holes`, `labels`, `bands`, `borders` and `bootTops`.
 */
export function layoutMap({ meta, width, height, dpr = 1, text = LABEL_SIZE, terse = false, labelWidth }) {
  const groups = groupSections(meta);
  const box = {
    width: Math.floor(width * dpr),
    height: Math.floor(height * dpr),
    dpr,
    text: text * dpr,
    terse,
    labelWidth: (label) => (labelWidth(label) + text) * dpr,
  };
  const shape = chooseShape(groups, box, meta.cells_per_section);
  if (!shape) return null;
  const { perLine, blockWidth, blockHeight, lineTop, left, margin, gap } = shape;
  const pitch = blockWidth + gap;
  const used = perLine * pitch - gap;
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
    const sameLine = band && band.line === line;
    if (sameLine && band.group === group) band.right = spot.x + blockWidth;
    else if (sameLine) band.right = spot.x - gap;
    if (!sameLine || band.group !== group) {
      bands.push({ group, line, x: spot.x, right: spot.x + blockWidth, y: spot.y });
    }
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
    xEdges: partEdges(shape.columns, blockWidth),
    yEdges: partEdges(shape.rows, blockHeight),
    grid: Math.min(shape.w, shape.h) >= GRID_FROM * dpr ? Math.round(dpr) : 0,
    numberLine: shape.numbered ? Math.round(NUMBER_LINE * box.text) : 0,
    terse,
    labelSize: box.text,
    labels: shape.labels.map((label) => ({ ...label, ...at(label) })),
  };
  layout.borders = zoneBorders(meta, layout);
  layout.bootTops = bootTops(layout);
  return layout;
}

/** The pixels of a cell: {x, y, right, bottom}. */
export function pixelOfCell(layout, cell) {
  const index = Math.floor(cell / layout.cells);
  const inside = cell - index * layout.cells;
  const column = inside % layout.columns;
  const row = Math.floor(inside / layout.columns);
  const { x, y } = layout.blocks[index];
  return {
    x: x + layout.xEdges[column],
    y: y + layout.yEdges[row],
    right: x + layout.xEdges[column + 1],
    bottom: y + layout.yEdges[row + 1],
  };
}

/** The part that holds pixel `at`, of `n` parts of `size` pixels cut by `partEdges`. */
function partAt(edges, at) {
  let i = Math.min(edges.length - 2, Math.floor((at * (edges.length - 1)) / edges.at(-1)));
  while (edges[i + 1] <= at) i += 1;
  return i;
}

/** What is at a device pixel: {cell, index}, {hole}, or null. */
export function hitTest(layout, x, y) {
  const inside = (spot) =>
    x >= spot.x && y >= spot.y && x < spot.x + layout.blockWidth && y < spot.y + layout.blockHeight;
  const block = layout.blocks.find(inside);
  if (block) {
    const column = partAt(layout.xEdges, x - block.x);
    const cell = partAt(layout.yEdges, y - block.y) * layout.columns + column;
    return cell < layout.cells ? { index: block.index, cell: block.index * layout.cells + cell } : null;
  }
  const hole = layout.holes.find(inside);
  return hole ? { hole } : null;
}
