import assert from "node:assert/strict";
import test from "node:test";

import { placeNames } from "../../hotmem_viz/views/static/chart.js";
import { matchZones } from "../../hotmem_viz/views/static/compare.js";
import { decodeShown } from "../../hotmem_viz/views/static/decode.js";
import { cellScale, legendRows } from "../../hotmem_viz/views/static/legend.js";
import { Timeline } from "../../hotmem_viz/views/static/timeline.js";
import { loadMessage, loadRecording, loadTruth } from "./fixtures.mjs";

const loadPair = () => decodeShown(loadMessage("pair"));

test("a pair's message holds both recordings whole, and the cursor that Python made", async () => {
  const pair = await loadPair();
  const truth = loadTruth("pair");
  assert.deepEqual([pair.titles, pair.by], [truth.titles, truth.by]);
  assert.deepEqual([...pair.ticks], truth.ticks.flat());
  for (const [i, name] of ["tiny", "short"].entries()) {
    const recording = pair.recordings[i];
    const own = loadTruth(name);
    assert.deepEqual(recording.meta, own.meta);
    assert.deepEqual([recording.ticks, recording.cells], [own.ticks, own.cells]);
    assert.deepEqual(Object.keys(recording.arrays).sort(), Object.keys(own.arrays).sort());
    for (const [array, { type, length, sum }] of Object.entries(own.arrays)) {
      const found = recording.arrays[array];
      assert.deepEqual([found.constructor.name, found.length], [type, length], array);
      assert.ok(Math.abs(found.reduce((a, b) => a + b, 0) - sum) <= 1e-9 * Math.abs(sum), array);
    }
  }
});

test("a message of one recording shows one, without a table of ticks", async () => {
  const { recordings, ticks } = await decodeShown(loadMessage("tiny"));
  assert.deepEqual([recordings.length, ticks], [1, null]);
});

test("every position has the ticks of the table, and a tick's position is its first", async () => {
  const timeline = new Timeline(await loadPair());
  const truth = loadTruth("pair");
  assert.equal(timeline.positions, truth.ticks.length);
  truth.ticks.forEach((row, position) => {
    row.forEach((tick, side) => {
      assert.equal(timeline.tickAt(position, side), tick);
      assert.equal(timeline.positionOf(side, tick), truth.ticks.findIndex((r) => r[side] >= tick));
    });
  });
});

test("marks of both sides are in order, and are Python's", async () => {
  const timeline = new Timeline(await loadPair());
  const found = timeline.marks.map(({ position, side, event }) => [position, side, event.tick]);
  assert.deepEqual(found, loadTruth("pair").marks);
  assert.deepEqual(timeline.markPositions, [...new Set(found.map(([position]) => position))]);
  for (const [position, side, tick] of found) assert.equal(timeline.tickAt(position, side), tick);
});

test("a side that has ended says where, while the other goes on", async () => {
  const timeline = new Timeline(await loadPair());
  const last = timeline.positions - 1;
  const end = timeline.positionOf(0, timeline.recordings[0].ticks - 1);
  assert.ok(end < last);
  assert.equal(timeline.endedAt(end, 0), "");
  assert.equal(timeline.endedAt(end + 1, 0), "ended at 9 files");
  assert.equal(timeline.endedAt(last, 1), "");
  assert.equal(timeline.describe(last), "11 files");
  assert.equal(timeline.describe(0), "0 files");
});

test("the last page that an event names is looked for on both sides", async () => {
  const recordings = [[{ tick: 1, pfn: 10 }, { tick: 3, pfn: -1 }], [{ tick: 2, pfn: 20 }]].map((events) => ({
    events,
    ticks: 4,
    meta: { counters: [] },
  }));
  const ticks = Int32Array.from([0, 0, 1, 0, 2, 1, 2, 2, 3, 3]);
  const timeline = new Timeline({ recordings, by: "x", ticks });
  const pages = [0, 1, 2, 3, 4].map((position) => timeline.lastPage(position)?.event.pfn ?? null);
  assert.deepEqual(pages, [null, 10, 10, 20, 20]);
});

test("with one recording a position is its tick", async () => {
  const recording = await loadRecording("tiny");
  const timeline = new Timeline({ recordings: [recording], by: "tick", ticks: null });
  assert.deepEqual([timeline.positions, timeline.tickAt(5, 0), timeline.positionOf(0, 5)], [7, 5, 5]);
  assert.deepEqual(timeline.markPositions, [0, 2, 3, 5, 6]);
  assert.equal(timeline.endedAt(6, 0), "");
  assert.equal(timeline.describe(0), "0 ns");
});

test("zones of both machines are matched by node and name, in the kernel's order", () => {
  const zones = (...rows) => ({ meta: { zones: rows.map(([nid, zone], id) => ({ id, nid, zone })) } });
  const rows = matchZones([
    zones([0, "DMA"], [0, "Movable"], [1, "Normal"]),
    zones([1, "Normal"], [0, "Normal"], [0, "DMA"]),
  ]);
  const told = rows.map(({ nid, name, zones: [a, b] }) => [nid, name, a?.id ?? null, b?.id ?? null]);
  assert.deepEqual(told, [
    [0, "DMA", 0, 2],
    [0, "Normal", null, 1],
    [0, "Movable", 1, null],
    [1, "Normal", 2, 0],
  ]);
});

test("the legend of two has the kinds of either", async () => {
  const recording = await loadRecording("tiny");
  const without = { ...recording, counter: (name, ...rest) => (name === "kind.slab" ? 0 : recording.counter(name, ...rest)) };
  const names = (...all) => legendRows(all[0], "kind", all.slice(1)).map((row) => row.name);
  assert.ok(!names(without).includes("slab"));
  assert.deepEqual(names(without, recording), names(recording));
});

test("the legend says how many pages a cell is, of each side where they differ", () => {
  const side = (letter, pages) => ({ letter, recording: { meta: { pages_per_cell: pages, page_size: 4096 } } });
  assert.equal(cellScale([side("A", 1)]), "1 cell = 1 page, 4 KiB");
  assert.equal(cellScale([side("A", 128), side("B", 128)]), "1 cell = 128 pages");
  assert.equal(cellScale([side("A", 1), side("B", 32)]), "1 cell = A 1 page, B 32 pages");
});

test("another lineup schema is refused", async () => {
  const text = new TextEncoder().encode('{"lineup_schema":2,"schema":1,"arrays":[]}');
  const message = new Uint8Array(4 + text.length);
  new DataView(message.buffer).setUint32(0, text.length, true);
  message.set(text, 4);
  const deflated = new Response(new Blob([message]).stream().pipeThrough(new CompressionStream("deflate")));
  await assert.rejects(decodeShown(await deflated.arrayBuffer()), /lineup schema 2/);
});

test("where nothing is ever counted a position is its number alone", async () => {
  const pair = await loadPair();
  const still = pair.recordings.map((recording) => ({ ...recording, counter: () => 0 }));
  assert.notEqual(new Timeline(pair).describe(3), "");
  assert.equal(new Timeline({ ...pair, recordings: still }).describe(3), "");
});

test("names of many lines stand in two columns where one would be too high", () => {
  const lines = [0.9, 0.85, 0.5, 0.49, 0.48, 0.1].map((at, i) => ({ at, label: `${"ABCDEF"[i]} can have` }));
  const roomy = placeNames(lines, 140);
  assert.deepEqual(roomy.map(({ text, column }) => [text, column]), lines.map(({ label }) => [label, 0]));
  const tight = placeNames(lines, 77);
  assert.deepEqual(tight.map(({ text }) => text), ["A", "B", "C", "D", "E", "F"]);
  for (const column of [0, 1]) {
    const tops = tight.filter((place) => place.column === column).map(({ top }) => top);
    assert.equal(tops.length, 3);
    tops.forEach((top, i) => assert.ok(top >= 9.5 && top <= 67.5 && (i === 0 || top - tops[i - 1] >= 19), `${tops}`));
  }
  assert.deepEqual(placeNames(lines.slice(0, 3), 40).map(({ column }) => column), [0, 0, 0]);
});
