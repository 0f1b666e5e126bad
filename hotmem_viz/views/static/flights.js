// Pages that move: which cells they leave and come to, and where they are on the way. Pure.

import { cellOfPfn } from "./cells.js";
import { pixelOfCell } from "./geometry.js";
import { RowTrack } from "./tracks.js";

const BULGE = 0.16;
const MOST_BULGE = 46;
const LATEST_START = 0.35;

/** Rows of the track `moves` that belong to a tick: [{source, target, pages}]. */
export const movesAt = (recording, tick) => new RowTrack(recording, "moves").at(tick);

export const pagesMoved = (moves) => moves.reduce((sum, { pages }) => sum + pages, 0);

/**
 * Flights from cell to cell, [{from, to}], at most `most`, spread evenly over the pages that move.
 *
 * back: time runs backwards, and so do they. Pages that share both cells fly as one.
 */
export function planFlights(meta, moves, { most, back }) {
  const pages = pagesMoved(moves);
  const wanted = Math.min(most, pages);
  const flights = new Map();
  let row = 0;
  let before = 0;
  for (let i = 0; i < wanted; i++) {
    const page = Math.floor(((i + 0.5) * pages) / wanted);
    while (page >= before + moves[row].pages) before += moves[row++].pages;
    const { source, target } = moves[row];
    const cells = [source, target].map((pfn) => cellOfPfn(meta, pfn + page - before));
    if (cells.includes(-1)) continue;
    const [from, to] = back ? cells.reverse() : cells;
    flights.set(`${from}/${to}`, { from, to });
  }
  return [...flights.values()];
}

/**
 * Runs of cells [{first, last}] that hold frames of moves, each within one section; `end` is source or target.
 *
 * near: runs with no more cells than that between them are told as one.
 */
export function movedCells(meta, moves, end, near = 0) {
  const { section_pages: sectionPages } = meta.machine;
  const runs = [];
  for (const move of moves) {
    let pfn = move[end];
    const stop = pfn + move.pages;
    while (pfn < stop) {
      const next = Math.min(stop, (Math.floor(pfn / sectionPages) + 1) * sectionPages);
      const first = cellOfPfn(meta, pfn);
      if (first >= 0) runs.push({ first, last: cellOfPfn(meta, next - 1) });
      pfn = next;
    }
  }
  return joinRuns(runs, meta.cells_per_section, near);
}

function joinRuns(runs, cells, near) {
  const joined = [];
  for (const { first, last } of runs.sort((a, b) => a.first - b.first)) {
    const run = joined.at(-1);
    const same = run && Math.floor(run.first / cells) === Math.floor(first / cells);
    if (same && first <= run.last + 1 + near) run.last = Math.max(run.last, last);
    else joined.push({ first, last });
  }
  return joined;
}

const rectangle = (left, top, right, bottom) => [[left, top], [right, top], [right, bottom], [left, bottom]];

/** The outline of a run of cells of one section, in device pixels: one or two closed polygons. */
export function runOutline(layout, { first, last }) {
  const { columns, cells, blockWidth, xEdges, yEdges } = layout;
  const { x, y } = layout.blocks[Math.floor(first / cells)];
  const [from, to] = [first % cells, last % cells];
  const [top, bottom] = [from, to].map((cell) => Math.floor(cell / columns));
  const [left, right] = [x + xEdges[from % columns], x + xEdges[(to % columns) + 1]];
  const row = (i) => y + yEdges[i];
  const end = x + blockWidth;
  if (top === bottom) return [rectangle(left, row(top), right, row(top + 1))];
  if (bottom === top + 1 && right <= left) {
    return [rectangle(left, row(top), end, row(bottom)), rectangle(x, row(bottom), right, row(bottom + 1))];
  }
  return [
    [
      [left, row(top)], [end, row(top)], [end, row(bottom)], [right, row(bottom)],
      [right, row(bottom + 1)], [x, row(bottom + 1)], [x, row(top + 1)], [left, row(top + 1)],
    ],
  ];
}

/** The middle of a cell, in device pixels. */
function middleOf(layout, cell) {
  const { x, y, right, bottom } = pixelOfCell(layout, cell);
  return [(x + right) / 2, (y + bottom) / 2];
}

/** The way of a flight, an arc: {from, bend, to} in device pixels. */
export function flightPath(layout, { from, to }) {
  const a = middleOf(layout, from);
  const b = middleOf(layout, to);
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy) || 1;
  const bulge = 2 * Math.min(BULGE * length, MOST_BULGE * layout.dpr);
  // Upwards, whichever way it goes, so that there and back are one arc.
  const side = dx > 0 || (dx === 0 && dy > 0) ? 1 : -1;
  const bend = [(a[0] + b[0]) / 2 + (side * dy * bulge) / length, (a[1] + b[1]) / 2 - (side * dx * bulge) / length];
  return { from: a, bend, to: b };
}

const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t));

/** How far flight `i` of `n` is when `share` of the time has passed: they start one after another. */
export function flightShare(i, n, share) {
  const start = n > 1 ? (LATEST_START * i) / (n - 1) : 0;
  return ease(Math.min(1, Math.max(0, (share - start) / (1 - LATEST_START))));
}

/** The point at `t`, 0 to 1, of a way. */
export function pointOnPath({ from, bend, to }, t) {
  const u = 1 - t;
  return [0, 1].map((i) => u * u * from[i] + 2 * u * t * bend[i] + t * t * to[i]);
}
