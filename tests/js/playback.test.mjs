import assert from "node:assert/strict";
import test from "node:test";

import { CellChanges, CellTrack, emptyTrack, lastBefore, mapNote } from "../../hotmem_viz/views/static/playback.js";
import { Scene } from "../../hotmem_viz/views/static/scene.js";
import { digestOf, loadRecording, loadTruth, NAMES } from "./fixtures.mjs";

for (const name of NAMES) {
  test(`${name}: every tick forwards, backwards and at random is Python's frame`, async () => {
    const { arrays, ticks } = await loadRecording(name);
    const truth = loadTruth(name);
    for (const [part, digests] of Object.entries(truth.frames)) {
      const track = new CellTrack(arrays, part);
      const forwards = Array.from({ length: ticks }, (_, tick) => tick);
      const jumps = forwards.map((tick) => (tick * 97 + 31) % ticks);
      for (const tick of [...forwards, ...forwards.toReversed(), ...jumps]) {
        assert.equal(digestOf(track.seek(tick, null)), digests[tick], `${part} at ${tick}`);
      }
    }
  });

  test(`${name}: the changes of a step name every cell that differs, and no other`, async () => {
    const { arrays, cells } = await loadRecording(name);
    const track = new CellTrack(arrays, "kind");
    const changes = new CellChanges(cells);
    for (const tick of [1, 2, 3, 2, 1, 0]) {
      const before = track.state.slice();
      changes.clear();
      track.seek(tick, changes);
      assert.equal(changes.all, false);
      const named = new Set(changes.list.subarray(0, changes.count));
      for (let i = 0; i < cells; i++) assert.equal(named.has(i), before[i] !== track.state[i], `cell ${i}`);
      assert.ok(named.size > 0);
    }
  });
}

test("going far is bounded: it starts from the nearest key frame before", () => {
  const ticks = 100;
  const cells = 64;
  const every = 10;
  const keys = new Uint8Array((ticks / every) * cells);
  const state = new Uint8Array(cells);
  for (let tick = 0; tick < ticks; tick++) {
    if (tick > 0) state[tick % cells] ^= tick;
    if (tick % every === 0) keys.set(state, (tick / every) * cells);
  }
  const arrays = {
    "kind.keys": keys,
    "kind.key_ticks": Int32Array.from({ length: ticks / every }, (_, i) => i * every),
    "kind.offsets": Uint32Array.from({ length: ticks + 1 }, (_, i) => Math.max(0, i - 1)),
    "kind.start": Uint32Array.from({ length: ticks - 1 }, (_, i) => (i + 1) % cells),
    "kind.length": new Uint32Array(ticks - 1).fill(1),
    "kind.flip": Uint8Array.from({ length: ticks - 1 }, (_, i) => i + 1),
  };
  const track = new CellTrack(arrays, "kind");
  const changes = new CellChanges(cells);
  let runs = 0;
  const { applyRuns } = track;
  track.applyRuns = function count(after, upTo, list) {
    runs += this.runsBetween(after, upTo);
    return applyRuns.call(this, after, upTo, list);
  };
  assert.deepEqual([...track.seek(ticks - 1, changes)], [...state]);
  assert.equal(runs, 9);
  assert.equal(changes.all, true);
});

test("too many changes become `all`", () => {
  const changes = new CellChanges(40);
  changes.addRun(0, 20);
  assert.equal(changes.all, false);
  changes.addRun(30, 1);
  assert.equal(changes.all, true);
  changes.clear();
  assert.deepEqual([changes.all, changes.count], [false, 0]);
});

test("the caption at a tick is the last one not after it", () => {
  const rows = [{ tick: 0 }, { tick: 4 }, { tick: 9 }];
  const found = [0, 3, 4, 8, 9, 50].map((tick) => lastBefore(rows, tick).tick);
  assert.deepEqual(found, [0, 0, 4, 4, 9, 9]);
  assert.equal(lastBefore([{ tick: 2 }], 1), null);
});

test("marks are met on the way, at a jump's end, and when stepping back onto them", async () => {
  const scene = new Scene(await loadRecording("tiny"));
  assert.deepEqual(scene.marks, [0, 2, 3, 5, 6]);
  const met = (before, tick, jumped) => scene.marksMet(before, tick, jumped).map((e) => e.tick);
  assert.deepEqual(met(1, 5, false), [2, 3, 5]);
  assert.deepEqual(met(1, 5, true), [5]);
  assert.deepEqual(met(6, 5, false), [5]);
  assert.deepEqual(met(5, 4, false), []);
});

test("a scene keeps all its tracks at one tick", async () => {
  const scene = new Scene(await loadRecording("tiny"));
  const truth = loadTruth("tiny");
  for (const tick of [3, 6, 1]) {
    scene.seek(tick);
    for (const [name, digests] of Object.entries(truth.frames)) {
      assert.equal(digestOf(scene.tracks[name].state), digests[tick], `${name} at ${tick}`);
    }
  }
});

test("a map that stands still says of which tick it is", () => {
  const maps = [{ tick: 0, label: "boot" }, { tick: 35, label: "close to the end" }];
  const capture = { hasMap: true, meta: { maps, ticks: 40 } };
  assert.equal(mapNote(capture, 0), "Pages as read at this tick (boot)");
  assert.equal(mapNote(capture, 34), "Pages as read at tick 0 (boot); next: tick 35");
  assert.equal(mapNote(capture, 35), "Pages as read at this tick (close to the end)");
  assert.equal(mapNote(capture, 39), "Pages as read at tick 35 (close to the end)");
  const late = { hasMap: true, meta: { maps: maps.slice(1), ticks: 40 } };
  assert.equal(mapNote(late, 3), "No page has been read yet; next: tick 35");
});

test("a model's map moves with every tick and needs no note, nor does a single tick", () => {
  assert.equal(mapNote({ hasMap: true, meta: { ticks: 40 } }, 7), "");
  const maps = [{ tick: 0, label: "boot" }];
  assert.equal(mapNote({ hasMap: true, meta: { maps, ticks: 1 } }, 0), "");
});

test("a recording without a map has an empty one, and says so", async () => {
  assert.match(mapNote({ hasMap: false, meta: { maps: [], ticks: 40 } }, 7), /no map/);
  const track = emptyTrack(6, 40);
  const changes = new CellChanges(6);
  for (const tick of [39, 0, 17]) assert.deepEqual([...track.seek(tick, changes)], new Array(6).fill(0));
  assert.equal(changes.count, 0);
  const whole = await loadRecording("tiny");
  assert.equal(whole.hasMap, true);
  const arrays = Object.fromEntries(Object.entries(whole.arrays).filter(([name]) => !name.startsWith("kind.")));
  const scene = new Scene({ ...whole, arrays, hasMap: false });
  scene.seek(3);
  assert.deepEqual([...new Set(scene.kinds)], [0]);
});
