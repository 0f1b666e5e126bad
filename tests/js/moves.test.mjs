import assert from "node:assert/strict";
import test from "node:test";

import {
  flightPath,
  flightShare,
  movedCells,
  movesAt,
  pagesMoved,
  planFlights,
  pointOnPath,
  runOutline,
} from "../../hotmem_viz/views/static/flights.js";
import { layoutMap, pixelOfCell } from "../../hotmem_viz/views/static/geometry.js";
import { loadRecording } from "./fixtures.mjs";

const labelWidth = (text) => text.length * 8;
const box = { width: 900, height: 460, labelWidth };

test("the moves of a tick are its rows and no others", async () => {
  const recording = await loadRecording("moving");
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map((tick) => movesAt(recording, tick).length), [0, 0, 0, 2, 1, 0, 0]);
  assert.deepEqual(movesAt(recording, 4), [{ source: 3572, target: 9215, pages: 1 }]);
  assert.equal(pagesMoved(movesAt(recording, 3)), 180);
  assert.deepEqual(movesAt(await loadRecording("tiny"), 3), []);
});

test("few pages all fly, from the cell of their frame to that of the other, and back", async () => {
  const recording = await loadRecording("moving");
  const { meta } = recording;
  // Sections 1 and 2 have cells 3,072 and 6,144 on.
  assert.deepEqual(planFlights(meta, movesAt(recording, 4), { most: 64, back: false }), [{ from: 3572, to: 9215 }]);
  assert.deepEqual(planFlights(meta, movesAt(recording, 4), { most: 64, back: true }), [{ from: 9215, to: 3572 }]);
  const all = planFlights(meta, movesAt(recording, 3), { most: 1000, back: false });
  assert.equal(all.length, 180);
  // Section 5 is the fourth on the map: its first cell is 9,216; the second run ends in section 6.
  assert.deepEqual(all[0], { from: 3072, to: 9216 });
  assert.deepEqual(all[179], { from: 3251, to: 12288 + 29 });
});

test("of many pages a part flies, spread over all of them", async () => {
  const recording = await loadRecording("moving");
  const flights = planFlights(recording.meta, movesAt(recording, 3), { most: 9, back: false });
  assert.deepEqual(flights.map(({ from }) => from - 3072), [10, 30, 50, 70, 90, 110, 130, 150, 170]);
});

test("pages that share both cells fly as one", async () => {
  const { meta } = await loadRecording("overview");
  const first = meta.sections[2] * meta.machine.section_pages;
  const second = meta.sections[9] * meta.machine.section_pages;
  const moves = [{ source: first, target: second, pages: 2 * meta.pages_per_cell }];
  assert.equal(planFlights(meta, moves, { most: 64, back: false }).length, 2);
});

test("frames that are not on the map do not fly", async () => {
  const { meta } = await loadRecording("moving");
  const moves = [{ source: 3 * 3072, target: 0, pages: 4 }];
  assert.deepEqual(planFlights(meta, moves, { most: 64, back: false }), []);
  assert.deepEqual(movedCells(meta, moves, "source"), []);
});

test("moved cells are joined to runs, and no run crosses a section", async () => {
  const recording = await loadRecording("moving");
  const moves = movesAt(recording, 3);
  assert.deepEqual(movedCells(recording.meta, moves, "source"), [{ first: 3072, last: 3251 }]);
  assert.deepEqual(movedCells(recording.meta, moves, "target"), [
    { first: 9216, last: 9315 },
    { first: 12238, last: 12287 },
    { first: 12288, last: 12317 },
  ]);
});

test("runs that lie close by are told as one where that is asked for", async () => {
  const recording = await loadRecording("moving");
  const moves = [...movesAt(recording, 3), ...movesAt(recording, 4)];
  assert.equal(movedCells(recording.meta, moves, "source").length, 2);
  assert.equal(movedCells(recording.meta, moves, "source", 319).length, 2);
  assert.deepEqual(movedCells(recording.meta, moves, "source", 320), [{ first: 3072, last: 3572 }]);
  assert.equal(movedCells(recording.meta, moves, "target", 9999).length, 3, "but never across sections");
});

/** Twice the area of a polygon. */
const area = (points) =>
  Math.abs(points.reduce((sum, [x, y], i) => {
    const [u, v] = points[(i + 1) % points.length];
    return sum + x * v - u * y;
  }, 0));

test("an outline encloses just the cells of its run", async () => {
  const { meta } = await loadRecording("moving");
  const layout = layoutMap({ meta, ...box });
  const { columns } = layout;
  for (const [first, last] of [[5, 5], [0, columns - 1], [3, columns + 1], [columns - 2, columns + 1], [7, 5 * columns + 3], [0, 3071]]) {
    const cells = Array.from({ length: last - first + 1 }, (_, i) => pixelOfCell(layout, 3072 + first + i));
    const wanted = cells.reduce((sum, { x, y, right, bottom }) => sum + (right - x) * (bottom - y), 0);
    const polygons = runOutline(layout, { first: 3072 + first, last: 3072 + last });
    const apart = Math.floor(last / columns) === Math.floor(first / columns) + 1 && last % columns < first % columns;
    assert.equal(polygons.length, apart ? 2 : 1, `${first} to ${last}`);
    assert.equal(polygons.reduce((sum, points) => sum + area(points), 0), 2 * wanted, `${first} to ${last}`);
  }
});

test("a flight begins and ends in the middle of its cells, and back is the same arc", async () => {
  const { meta } = await loadRecording("moving");
  const layout = layoutMap({ meta, ...box });
  const there = flightPath(layout, { from: 3072, to: 9216 });
  const back = flightPath(layout, { from: 9216, to: 3072 });
  const { x, y, right, bottom } = pixelOfCell(layout, 9216);
  assert.deepEqual(pointOnPath(there, 1), [(x + right) / 2, (y + bottom) / 2]);
  for (const t of [0, 0.25, 0.5, 1]) {
    pointOnPath(there, t).forEach((v, i) => assert.ok(Math.abs(v - pointOnPath(back, 1 - t)[i]) < 1e-9));
  }
});

test("flights start one after another and all arrive", () => {
  for (const i of [0, 10, 63]) assert.equal(flightShare(i, 64, 0), 0);
  for (const i of [0, 10, 63]) assert.equal(flightShare(i, 64, 1), 1);
  assert.ok(flightShare(0, 64, 0.5) > flightShare(63, 64, 0.5));
  assert.equal(flightShare(0, 1, 1), 1);
});
