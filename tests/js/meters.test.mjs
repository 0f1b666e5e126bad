import assert from "node:assert/strict";
import test from "node:test";

import { meterOfEvents, missingCounter } from "../../hotmem_viz/views/static/meters.js";
import { decadesAbout, reachedAt } from "../../hotmem_viz/views/static/metersremap.js";
import { sumSides } from "../../hotmem_viz/views/static/meterszones.js";
import { loadRecording } from "./fixtures.mjs";

test("a part is reached at its first event or function, or never", async () => {
  const recording = await loadRecording("tables-walk");
  const reached = reachedAt(recording);
  const tickOf = (kind) => recording.events.find((event) => event.kind === kind).tick;
  const byName = Object.fromEntries(recording.meta.subsystems.map(({ name }, i) => [name, reached[i]]));
  assert.equal(byName.stop_machine, tickOf("stopped"));
  assert.equal(byName["kernel mapping"], tickOf("table_written"));
  assert.equal(byName["page tables"], tickOf("tables_walked"));
  assert.equal(byName.KVM, Infinity);
  // Drivers ask in the first turn, and no event is called so.
  const asks = recording.events.find((event) => event.function === "dma_alloc_coherent");
  assert.equal(byName["DMA mapping"], asks.tick);
  assert.ok(asks.tick < tickOf("stopped"));
});

test("the meter of the last marked event is shown where there is no room for all", () => {
  const classes = [{ concerns: new Set(["a"]) }, { concerns: new Set() }, { concerns: new Set(["c", "d"]) }];
  const events = [[1, "a"], [3, "x"], [4, "d"], [5, "a", false]].map(([tick, kind, mark = true]) => ({ tick, kind, mark }));
  const at = (tick) => classes.indexOf(meterOfEvents(classes, { recording: { events }, tick }, classes[1]));
  assert.deepEqual([0, 1, 2, 3, 4, 5].map(at), [1, 0, 0, 1, 2, 2]);
});

test("decades hold all positive numbers with one to spare", () => {
  assert.deepEqual(decadesAbout([10000]), [3, 5]);
  assert.deepEqual(decadesAbout([1, 23418, 0]), [-1, 6]);
});

test("a meter whose counter is not recorded names it", async () => {
  const recording = await loadRecording("tables-walk");
  assert.equal(missingCounter({ counters: ["pause_ns", "device.held"] }, recording), "");
  assert.equal(missingCounter({ counters: ["pause_ns", "corner.kernel"] }, recording), "corner.kernel");
});

test("both sides of memory are summed over the zones of a tick", () => {
  const zones = [[0, true, 5], [1, false, 7], [2, true, 11], [3, false, 13]].map(([id, kernel, managed]) => ({ id, kernel, managed }));
  const counters = { "zone1.managed": [7, 3], "zone2.managed": [11, 20] };
  const recording = { meta: { zones }, counter: (name, tick, missing) => counters[name]?.[tick] ?? missing };
  assert.deepEqual(sumSides({ recording, tick: 0 }), { movable: 20, kernel: 16 });
  assert.deepEqual(sumSides({ recording, tick: 1 }), { movable: 16, kernel: 25 });
});
