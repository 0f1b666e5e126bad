// Where the boxes of page-table trees stand, in css pixels. Pure.
//
// A tree hangs from its top table; tables of the lowest level fold into lines under the table that
// points at them. Places are those of the whole recording, so that nothing jumps while playing:
// tables that follow one another at one entry share a box.

const TREE_LINE = 20;
const UPPER_BOX = 15;
const BETWEEN_LEVELS = 9;
const BETWEEN_TREES = 14;
const MOST_BETWEEN = 60;
const BETWEEN_LINES = 10;
const LEAF_SIZES = [22, 20, 18, 16, 14, 12, 10, 8, 7, 6, 5];
const SMALLEST_LEAF = LEAF_SIZES.at(-1);
const LEAST_LEAF = 12;
const MOST_BOXES = 700;
const TREE_SIZES = [MOST_BOXES, 250, 120, 60, 36, 24, 16];
const FEW_TREES = 3;
const FOLDS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/**
 * The slots of a tree: {level, index, lives, children}, children in order of their entries.
 *
 * No more than `most` slots: tables that come later have none.
 */
export function growTree(root, most = MOST_BOXES) {
  const slots = new Map();
  const top = { level: root.level, index: 0, lives: [root], children: [] };
  slots.set(root, top);
  const places = new Map();
  let count = 1;
  for (const life of root.tree) {
    if (life === root) continue;
    const above = slots.get(life.parent);
    if (!above) continue;
    if (!places.has(above)) places.set(above, new Map());
    const row = places.get(above);
    let slot = row.get(life.index);
    if (!slot && count === most) continue;
    if (!slot) {
      count += 1;
      slot = { level: life.level, index: life.index, lives: [], children: [] };
      row.set(life.index, slot);
      above.children.push(slot);
    }
    slot.lives.push(life);
    slots.set(life, slot);
  }
  for (const slot of new Set(slots.values())) slot.children.sort((a, b) => a.index - b.index);
  return top;
}

const countSlots = (slot) => slot.children.reduce((sum, child) => sum + countSlots(child), 1);

/** Width of a slot's part of the tree, and how many lines of leaves it has. */
function measureSlot(slot, unit, fold) {
  const leaves = slot.children.filter((child) => child.level === 0);
  const inner = slot.children.filter((child) => child.level > 0).map((child) => measureSlot(child, unit, fold));
  const block = Math.min(fold, leaves.length) * unit;
  const gaps = Math.max(0, inner.length + (block ? 1 : 0) - 1) * Math.max(3, unit / 2);
  const width = Math.max(UPPER_BOX, inner.reduce((sum, one) => sum + one.width, 0) + block + gaps);
  const lines = Math.max(Math.ceil(leaves.length / fold), ...inner.map((one) => one.lines), 0);
  return { slot, leaves, inner, width, block, lines };
}

function placeSlot(measured, box, places) {
  const { slot, leaves, inner, width, block } = measured;
  const { x, top, unit, fold, levelY } = box;
  const size = slot.level === 0 ? unit - 1 : UPPER_BOX;
  const place = { slot, x: x + (width - size) / 2, y: levelY(slot.level), width: size, height: size, below: [] };
  places.push(place);
  const gap = Math.max(3, unit / 2);
  const total = inner.reduce((sum, one) => sum + one.width, 0) + block + Math.max(0, inner.length + (block ? 1 : 0) - 1) * gap;
  let at = x + (width - total) / 2;
  for (const one of inner) {
    place.below.push(placeSlot(one, { ...box, x: at }, places));
    at += one.width + gap;
  }
  const columns = Math.min(fold, leaves.length);
  leaves.forEach((leaf, i) => {
    const column = i % columns;
    const line = Math.floor(i / columns);
    const leafPlace = {
      slot: leaf,
      x: at + column * unit,
      y: levelY(0) + line * unit,
      width: unit - 1,
      height: unit - 1,
      below: [],
    };
    places.push(leafPlace);
    if (line === 0) place.below.push(leafPlace);
  });
  return place;
}

/** measureSlot of a whole tree, once for each size of leaves and fold. */
function measureTree(tree, unit, fold) {
  const key = `${unit}/${fold}`;
  tree.measured ??= new Map();
  if (!tree.measured.has(key)) tree.measured.set(key, measureSlot(tree.top, unit, fold));
  return tree.measured.get(key);
}

/** No more trees than these fit, however small they are. */
function mostTrees({ width, height, depth }) {
  const each = lineHeight({ lines: 1 }, SMALLEST_LEAF, depth) + BETWEEN_LINES;
  const lines = Math.max(1, Math.floor((height + BETWEEN_LINES) / each));
  return lines * Math.ceil((width + BETWEEN_TREES) / (UPPER_BOX + BETWEEN_TREES));
}

/** Trees in lines that fit `width`, or null where one is too wide: [{trees, lines}]. */
function packTrees(trees, unit, fold, width) {
  const rows = [];
  let left = -1;
  for (const tree of trees) {
    const measured = measureTree(tree, unit, fold);
    const wide = Math.max(measured.width, tree.labelWidth);
    if (wide > width) return null;
    if (wide > left) {
      rows.push({ trees: [], lines: 0 });
      left = width;
    }
    left -= wide + BETWEEN_TREES;
    const row = rows.at(-1);
    row.trees.push({ tree, measured, width: wide });
    row.lines = Math.max(row.lines, measured.lines);
  }
  return rows;
}

/** Height of a line of trees: its heading, its upper levels, its leaves. */
const lineHeight = (row, unit, depth) => TREE_LINE + (depth - 1) * (UPPER_BOX + BETWEEN_LEVELS) + Math.max(1, row.lines) * unit;

function packedHeight(rows, unit, depth) {
  return rows.reduce((sum, row) => sum + lineHeight(row, unit, depth), 0) + (rows.length - 1) * BETWEEN_LINES;
}

/** The largest boxes with which all `trees` fit: {rows, unit, fold, height}, or null. */
function fitTrees(trees, { width, height, depth }) {
  for (const unit of LEAF_SIZES) {
    let best = null;
    for (const fold of FOLDS) {
      const rows = packTrees(trees, unit, fold, width);
      if (!rows) break;
      const tall = packedHeight(rows, unit, depth);
      if (tall <= height && (!best || tall < best.height)) best = { rows, unit, fold, height: tall };
    }
    if (best) return best;
  }
  return null;
}

/** The most of some grown trees that fit: what fitTrees returns, with the trees; or null. */
function fitMost(trees, room) {
  let boxes = 0;
  const over = trees.findIndex((tree) => (boxes += countSlots(tree.top)) > MOST_BOXES);
  let n = over < 0 ? trees.length : Math.max(1, over);
  for (; n > 0; n = n > 8 ? Math.floor(n * 0.8) : n - 1) {
    const shown = trees.slice(0, n).sort((a, b) => a.root.number - b.root.number);
    const fitted = fitTrees(shown, room);
    if (fitted) return { ...fitted, trees: shown };
  }
  return null;
}

/**
 * Places of as many trees as fit: {places, lines, trees, unit, height}.
 *
 * trees: [{root, labelWidth}] in order of rank; box: {width, height, depth, gutter}. Trees too large
 * for a few of them to fit are drawn in part, their first tables. Places have the slot, its box and
 * its tree's root, `below` those that lines lead to; lines are the lines of trees, with the height
 * of each level.
 */
export function layOutTrees(trees, box) {
  const room = { ...box, width: box.width - box.gutter };
  let best = null;
  for (const most of TREE_SIZES) {
    const fitted = fitMost(trees.slice(0, mostTrees(room)).map((tree) => ({ ...tree, top: growTree(tree.root, most) })), room);
    if (fitted && (!best || fitted.trees.length > best.trees.length)) best = fitted;
    if (best && best.trees.length >= Math.min(FEW_TREES, trees.length)) break;
  }
  return best ? placeTrees(best, box) : { places: [], lines: [], trees: [], unit: 0, height: 0 };
}

/** The height that trees of so many levels can do with: two lines of small leaves. */
export const leastTrees = (depth) => TREE_LINE + (depth - 1) * (UPPER_BOX + BETWEEN_LEVELS) + 2 * LEAST_LEAF;

/** What lies between the trees of a line, so that they use its width. */
function gapOf(row, width) {
  const free = width - row.trees.reduce((sum, tree) => sum + tree.width, 0);
  return row.trees.length > 1 ? Math.min(MOST_BETWEEN, free / (row.trees.length - 1)) : 0;
}

function placeTrees({ rows, unit, fold, height, trees }, { depth, gutter, width }) {
  // Lines of trees share a gap: the first is the fullest.
  const gap = Math.min(...rows.map((row, i) => (i === 0 || row.trees.length > 1 ? gapOf(row, width - gutter) : MOST_BETWEEN)));
  const places = [];
  const lines = [];
  let top = 0;
  for (const row of rows) {
    const start = top;
    const levelY = (level) => start + TREE_LINE + (depth - 1 - level) * (UPPER_BOX + BETWEEN_LEVELS);
    let x = gutter;
    const heads = [];
    for (const { tree, measured, width: wide } of row.trees) {
      const inside = x + (wide - measured.width) / 2;
      const before = places.length;
      placeSlot(measured, { x: inside, top, unit, fold, levelY }, places);
      for (const place of places.slice(before)) place.root = tree.root;
      heads.push({ root: tree.root, x: x + wide / 2, y: start + TREE_LINE / 2 });
      x += wide + gap;
    }
    const levels = Array.from({ length: depth }, (_, level) => ({ level, y: levelY(level) }));
    lines.push({ y: start + TREE_LINE / 2, levels, heads });
    top += lineHeight(row, unit, depth) + BETWEEN_LINES;
  }
  return { places, lines, trees, unit, height };
}

/** The place under a point, or null. */
export function placeAt(places, x, y) {
  return places.find((p) => x >= p.x && x <= p.x + p.width && y >= p.y && y <= p.y + p.height) ?? null;
}

/** The nearest place from `from` on in a direction, or null: (dx, dy) is a step to a side, up or down. */
export function nextPlace(places, from, dx, dy) {
  const along = (place) => (place.x - from.x) * dx + (place.y - from.y) * dy;
  const across = (place) => Math.abs((place.x - from.x) * dy) + Math.abs((place.y - from.y) * dx);
  const cost = (place) => along(place) + 3 * across(place);
  const ahead = places.filter((place) => along(place) > 0);
  return ahead.reduce((best, place) => (!best || cost(place) < cost(best) ? place : best), null);
}
