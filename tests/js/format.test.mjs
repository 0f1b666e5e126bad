import assert from "node:assert/strict";
import test from "node:test";

import { clamp, formatBytes, formatCount, formatPercent, formatTime, formatType } from "../../hotmem_viz/views/static/format.js";

test("counts are grouped by thousands", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(formatCount(0), "0");
});

test("bytes are shown in the largest binary unit", () => {
  const cases = [[0, "0 B"], [4096, "4 KiB"], [1536 * 1024, "1.50 MiB"], [20.25 * 2 ** 20, "20.3 MiB"], [2 ** 40, "1 TiB"]];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test("model time is shown in a fitting unit", () => {
  const cases = [[12, "12 ns"], [1500, "1.5 µs"], [2.5e6, "2.5 ms"], [3e9, "3.0 s"], [125e9, "2 min 5 s"]];
  for (const [ns, text] of cases) assert.equal(formatTime(ns), text);
});

test("shares are shown to a tenth of a percent", () => {
  assert.deepEqual([formatPercent(1, 8), formatPercent(0, 3), formatPercent(0.006)], ["12.5 %", "0.0 %", "0.6 %"]);
});

test("types are spelled as the kernel prints them", () => {
  assert.equal(formatType("HIGHATOMIC"), "Highatomic");
});

test("clamp keeps a value inside", () => {
  assert.deepEqual([-1, 5, 11].map((v) => clamp(v, 0, 10)), [0, 5, 10]);
});
