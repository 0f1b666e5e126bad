import assert from "node:assert/strict";
import test from "node:test";

import {
  countLines, CPU_STATES, findStops, formatPause, joinLanes, laneRows, partEdgesOf, sayPause, stoodStill, stopAt,
  timeToPixel, whenOf,
} from "../../hotmem_viz/views/static/lanegeometry.js";
import { firstAbove, RowTrack } from "../../hotmem_viz/views/static/tracks.js";
import { loadRecording, loadTruth } from "./fixtures.mjs";

const close = (a, b) => Math.abs(a - b) < 1e-6 * Math.max(1, b);
const stopsOf = async (name) => findStops(await loadRecording(name));

test("rows belong to their ticks, and to no other", async () => {
  const recording = await loadRecording("remapped");
  const track = new RowTrack(recording, "spans");
  let rows = 0;
  for (let tick = 0; tick < recording.ticks; tick++) rows += track.at(tick).length;
  assert.equal(rows, track.length);
  const first = track.ticks[0];
  assert.deepEqual(track.at(first - 1), []);
  assert.deepEqual(Object.keys(track.at(first)[0]), ["lane", "state", "start_ns", "end_ns"]);
  assert.deepEqual(new RowTrack({ arrays: {} }, "spans").ticks, []);
  assert.deepEqual([0, 1, 2, 4, 9].map((n) => firstAbove([1, 1, 4], n - 1)), [0, 0, 2, 2, 3]);
});

for (const name of ["remapped", "scattered", "home", "corrupted", "aborted"]) {
  test(`${name}: the stops add up to the pause that the model counted`, async () => {
    const stops = await stopsOf(name);
    const { counters, cpus } = loadTruth(name);
    let sum = 0;
    for (const stop of stops) {
      sum += stop.total;
      assert.ok(close(sum, counters.pause_ns[stop.last]), `${sum} and ${counters.pause_ns[stop.last]}`);
      assert.equal(stop.cpus, cpus);
      assert.equal(stop.parts[0].from, 0);
      assert.equal(stop.parts.at(-1).to, stop.total);
      stop.parts.slice(1).forEach((part, i) => assert.equal(part.from, stop.parts[i].to));
    }
    assert.ok(close(sum, counters.pause_ns.at(-1)));
  });
}

test("every CPU is somewhere at every moment of a stop, and in one state", async () => {
  const [stop] = await stopsOf("remapped");
  for (let lane = 0; lane < stop.cpus; lane++) {
    const spans = stop.parts.flatMap((part) => part.spans.filter((span) => span.lane === lane));
    assert.equal(spans[0].from, 0);
    spans.slice(1).forEach((span, i) => assert.equal(span.from, spans[i].to));
    assert.equal(spans.at(-1).to, stop.total);
  }
});

test("parts are named by what happened in their tick", async () => {
  const [stop] = await stopsOf("remapped");
  const { events } = loadTruth("remapped");
  const kindAt = new Map(events.map(([tick, kind]) => [tick, kind]));
  assert.deepEqual(
    stop.parts.map((part) => [kindAt.get(part.tick), part.label]),
    [
      ["stopped", "all CPUs arrive"],
      ["copied", "copying pages"],
      ["table_written", "writing the map"],
      ["tables_walked", "walking page tables"],
      ["resumed", "flushing TLBs"],
    ],
  );
  const [aborted] = await stopsOf("aborted");
  assert.deepEqual(aborted.parts.map((part) => part.label), ["all CPUs arrive", "flushing TLBs"]);
});

test("as many CPUs copy as were asked to, the others spin", async () => {
  const [stop] = await stopsOf("remapped");
  const copying = stop.parts.find((part) => part.label === "copying pages");
  const states = copying.spans.map((span) => CPU_STATES[span.state]);
  assert.deepEqual(states, ["RUN", "RUN", "waiting", "waiting", "waiting"]);
  const joined = joinLanes(copying.spans);
  assert.deepEqual(joined.map(({ first, last }) => [first, last]), [[0, 1], [2, 4]]);
});

test("a run that is vetoed stops nobody; a target that leaves too makes two stops", async () => {
  assert.deepEqual(await stopsOf("vetoed"), []);
  assert.equal(stopAt([], 5), -1);
  const stops = await stopsOf("scattered");
  assert.equal(stops.length, 2);
  const [one, two] = stops;
  const shown = [0, one.first, one.last, two.first - 1, two.first, two.last + 3].map((tick) => stopAt(stops, tick));
  assert.deepEqual(shown, [0, 0, 0, 0, 1, 1]);
});

test("what is said beside the pause grows with it, and names the stop where there are several", async () => {
  const [stop] = await stopsOf("remapped");
  const say = (tick, more = {}) => sayPause(stop, tick, { at: 0, stops: 1, basis: "modelled", ...more });
  assert.equal(say(stop.first - 1), `the machine still runs; the pause will be ${formatPause(stop.total)}, modelled`);
  assert.equal(say(stop.first), `of a pause of ${formatPause(stop.total)}, modelled`);
  assert.equal(say(stop.last), "pause, modelled");
  assert.equal(say(stop.last + 5, { at: 1, stops: 2 }), "pause, stop 2 of 2, modelled");
});

test("words take as many lines as a browser breaks them into", () => {
  const words = [40, 40, 40, 40];
  assert.equal(countLines(words, 5, 175), 1);
  assert.equal(countLines(words, 5, 174), 2);
  assert.equal(countLines(words, 5, 84), 4);
  assert.equal(countLines(words, 5, 175, 1), 2);
  assert.equal(countLines(words, 5, 85, 60), 3);
  assert.equal(countLines([200, 10], 5, 100), 2);
  assert.equal(countLines([], 5, 100), 1);
});

test("parts are over, going on or yet to come; the pause grows part by part", async () => {
  const [stop] = await stopsOf("remapped");
  const at = (tick) => stop.parts.map((part) => whenOf(stop, part, tick)).join(" ");
  assert.equal(at(stop.first - 1), "later later later later later");
  assert.equal(at(stop.first + 2), "past past now later later");
  assert.equal(at(stop.last + 1), "past past past past past");
  assert.equal(stoodStill(stop, stop.first - 1), 0);
  assert.equal(stoodStill(stop, stop.first), stop.parts[0].to);
  assert.equal(stoodStill(stop, stop.last + 9), stop.total);
});

test("a part of a tick is worked out from the CPUs' phases", () => {
  const arrays = {
    "spans.tick": Uint32Array.of(7, 7, 7),
    "spans.lane": Uint16Array.of(0, 0, 0),
    "spans.state": Uint8Array.of(1, 3, 4),
    "spans.start_ns": Float64Array.of(0, 100, 400),
    "spans.end_ns": Float64Array.of(100, 400, 450),
  };
  const events = [{ tick: 7, kind: "copied_home" }];
  const [stop] = findStops({ arrays, events });
  assert.deepEqual(
    stop.parts.map(({ label, from, to }) => [label, from, to]),
    [["all CPUs arrive", 0, 100], ["copying home and rewriting", 100, 400], ["flushing TLBs", 400, 450]],
  );
});

test("a stop ends where a tick has no spans, whatever the CPUs do in the next", () => {
  const arrays = {
    "spans.tick": Uint32Array.of(2, 3, 9),
    "spans.lane": Uint16Array.of(0, 0, 0),
    "spans.state": Uint8Array.of(3, 4, 3),
    "spans.start_ns": new Float64Array(3),
    "spans.end_ns": Float64Array.of(10, 5, 7),
  };
  const stops = findStops({ arrays, events: [] });
  assert.deepEqual(stops.map(({ first, last, total }) => [first, last, total]), [[2, 3, 15], [9, 9, 7]]);
});

test("edges share the width as times do, but what is too short to be seen gets its pixels", () => {
  const parts = [[0, 100], [100, 400], [400, 400.01], [400.01, 500]].map(([from, to]) => ({ from, to }));
  const { edges, widened } = partEdgesOf({ parts }, 507, 7);
  assert.deepEqual([...widened], [2]);
  assert.ok(close(edges.at(-1), 507));
  const widths = parts.map((_, i) => edges[i + 1] - edges[i]);
  assert.equal(widths[2], 7);
  assert.ok(Math.abs(widths[1] / widths[0] - 3) < 1e-9);
  assert.ok(close(timeToPixel(parts[1], 250, edges[1], edges[2]), (edges[1] + edges[2]) / 2));
  assert.deepEqual(partEdgesOf({ parts: [{ from: 0, to: 0 }] }, 100, 7).edges, [0, 7]);
});

test("names of lanes do not overlap, and lanes fill the height up to their tallest", () => {
  for (const cpus of [1, 4, 8, 64, 256]) {
    const { pitch, gap, named, height } = laneRows(cpus, 130, 14, 26);
    assert.ok(pitch <= 26 && gap < pitch && height <= 130);
    assert.equal(named[0], 0);
    if (named.length > 1) assert.ok((named[1] - named[0]) * pitch >= 16);
    assert.ok(named.at(-1) < cpus);
  }
});

test("a pause is written as the captions write it", () => {
  assert.deepEqual([30, 2_780, 18_632, 99_949, 366_151, 2.5e9].map(formatPause), [
    "30 ns", "2.8 µs", "18.6 µs", "99.9 µs", "0.37 ms", "2.50 s",
  ]);
});
