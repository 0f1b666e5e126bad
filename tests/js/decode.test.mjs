import assert from "node:assert/strict";
import test from "node:test";

import { decodeRecording, parseMessage } from "../../hotmem_viz/views/static/decode.js";
import { loadMessage, loadRecording, loadTruth, NAMES } from "./fixtures.mjs";

for (const name of NAMES) {
  test(`${name}: the header and every array are what Python wrote`, async () => {
    const recording = await loadRecording(name);
    const truth = loadTruth(name);
    assert.deepEqual(recording.meta, truth.meta);
    assert.equal(recording.ticks, truth.ticks);
    assert.equal(recording.cells, truth.cells);
    assert.equal(recording.events.length, truth.events);
    for (const [array, { type, length, sum }] of Object.entries(truth.arrays)) {
      const found = recording.arrays[array];
      assert.equal(found.constructor.name, type, array);
      assert.equal(found.length, length, array);
      const total = found.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(total - sum) <= 1e-9 * Math.abs(sum), `${array}: ${total} and ${sum}`);
    }
  });
}

test("a counter is found by name and tick", async () => {
  const recording = await loadRecording("tiny");
  const truth = loadTruth("tiny");
  for (const [name, values] of Object.entries(truth.counters)) {
    const found = values.map((_, tick) => recording.counter(name, tick));
    assert.deepEqual(found, values, name);
  }
  assert.equal(recording.counter("no such counter", 0, -1), -1);
  assert.equal(recording.hasCounter("free"), true);
  assert.equal(recording.hasCounter("no such counter"), false);
});

test("a DataView, as a widget manager gives it, is read as well as a typed array", async () => {
  const bytes = loadMessage("tiny");
  const padded = new Uint8Array(bytes.length + 5);
  padded.set(bytes, 5);
  const recording = await decodeRecording(new DataView(padded.buffer, 5));
  assert.equal(recording.ticks, 7);
});

test("another schema is refused", () => {
  const text = new TextEncoder().encode('{"schema":1,"arrays":[]}');
  const message = new Uint8Array(4 + text.length);
  new DataView(message.buffer).setUint32(0, text.length, true);
  message.set(text, 4);
  assert.throws(() => parseMessage(message.buffer), /schema 1/);
});

test("bytes that are no message are refused", async () => {
  await assert.rejects(decodeRecording(new Uint8Array([1, 2, 3])));
});
