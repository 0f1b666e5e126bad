import assert from "node:assert/strict";
import test from "node:test";

import { decodeShown } from "../../hotmem_viz/views/static/decode.js";
import { scoreEnds, writeScore } from "../../hotmem_viz/views/static/scoreboard.js";
import { Timeline } from "../../hotmem_viz/views/static/timeline.js";
import { loadMessage, loadTruth } from "./fixtures.mjs";

test("best and worst are the ends unless most are alike, as Python says", () => {
  const { ends } = loadTruth("six");
  assert.ok(ends.length > 20);
  for (const { values, better, best, worst } of ends) {
    const found = scoreEnds(values, better);
    const at = (name) => found.flatMap((end, i) => (end === name ? [i] : []));
    assert.deepEqual([at("best"), at("worst")], [best, worst], `${values} ${better}`);
  }
});

test("values have their units", () => {
  assert.equal(writeScore(191856640, "bytes", 4096), "183 MiB");
  assert.equal(writeScore(10812, "pages", 4096), "42.2 MiB");
  assert.equal(writeScore(1815685, "ns", 4096), "1.8 ms");
  assert.equal(writeScore(0, "ns", 4096), "0");
  assert.equal(writeScore(1.24866, "loads", 4096), "1.249");
  assert.equal(writeScore(48, "decisions", 4096), "48");
});

test("six recordings come with the cursor and the measures that Python made", async () => {
  const shown = await decodeShown(loadMessage("six"));
  const truth = loadTruth("six");
  assert.deepEqual([shown.titles, shown.by], [truth.titles, "step"]);
  const timeline = new Timeline(shown);
  assert.equal(timeline.positions, truth.ticks.length);
  truth.ticks.forEach((row, position) => assert.deepEqual(row.map((_, side) => timeline.tickAt(position, side)), row));
  const last = timeline.positions - 1;
  for (const [side, recording] of shown.recordings.entries()) {
    assert.deepEqual(recording.meta.measures.map(({ name }) => name), truth.measures);
    const values = recording.meta.measures.map(({ counter }) => recording.counter(counter, timeline.tickAt(last, side)));
    assert.deepEqual(values, truth.last[side]);
  }
});
