import assert from "node:assert/strict";
import test from "node:test";

import { layoutMap } from "../../hotmem_viz/views/static/geometry.js";
import { legendRows } from "../../hotmem_viz/views/static/legend.js";
import { hatchColour, luminance, makePaint, paintBlock, parseHex } from "../../hotmem_viz/views/static/painter.js";
import { CellTrack } from "../../hotmem_viz/views/static/playback.js";
import { spreadLabels } from "../../hotmem_viz/views/static/chart.js";
import { loadRecording } from "./fixtures.mjs";

const LOOK = { theme: "light", mode: "kind", highlight: null, paper: [255, 255, 255], dpr: 1 };
const pack = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

async function paintTiny(look = {}) {
  const recording = await loadRecording("tiny");
  const layout = layoutMap({ meta: recording.meta, width: 900, height: 500, labelWidth: (t) => t.length * 8 });
  const paint = makePaint(recording, { ...LOOK, ...look });
  const pixels = new Uint32Array(layout.width * layout.height);
  const { state } = new CellTrack(recording.arrays, "kind");
  for (const block of layout.blocks) {
    paintBlock(pixels, layout.width, layout, paint, block, state, block.index * layout.cells);
  }
  return { recording, layout, paint, pixels, state };
}

test("blocks are painted whole and nothing around them", async () => {
  const { layout, pixels } = await paintTiny();
  const painted = pixels.reduce((n, pixel) => n + (pixel ? 1 : 0), 0);
  const rest = layout.columns * layout.rows - layout.cells;
  assert.equal(rest, 0);
  assert.equal(painted, layout.blocks.length * layout.blockWidth * layout.blockHeight);
});

test("large cells have a line of paper at their right and bottom", async () => {
  const recording = await loadRecording("tiny");
  const paint = makePaint(recording, LOOK);
  const edges = Int32Array.of(0, 10, 20);
  const layout = { columns: 2, cells: 4, grid: 1, xEdges: edges, yEdges: Int32Array.of(0, 8, 16) };
  const pixels = new Uint32Array(20 * 16);
  const FREE = 1;
  paintBlock(pixels, 20, layout, paint, { x: 0, y: 0 }, new Uint8Array(4).fill(FREE), 0);
  const paper = pack(LOOK.paper);
  const free = pack(parseHex(recording.kinds[FREE].light));
  pixels.forEach((pixel, i) => {
    const isEdge = i % 20 === 9 || i % 20 === 19 || [7, 15].includes(Math.floor(i / 20));
    assert.equal(pixel, isEdge ? paper : free, `pixel ${i}`);
  });
});

test("every kind on the map shows its own colour more often than its hatch", async () => {
  const { recording, pixels, state } = await paintTiny();
  const count = new Map();
  for (const pixel of pixels) count.set(pixel, (count.get(pixel) ?? 0) + 1);
  for (const id of new Set(state)) {
    const rgb = parseHex(recording.kinds[id].light);
    const own = count.get(pack(rgb)) ?? 0;
    const hatched = count.get(pack(hatchColour(rgb))) ?? 0;
    assert.ok(own > 0 && own >= hatched, recording.kinds[id].name);
  }
});

test("by movability there are only the three classes beside free and holes", async () => {
  const { recording, paint } = await paintTiny({ mode: "movability" });
  const tones = new Set(recording.kinds.map((kind) => paint.lut[kind.id * 4]));
  assert.equal(tones.size, 5);
});

test("a highlighted kind keeps its colour, all others fade towards the paper", async () => {
  const { recording, paint } = await paintTiny({ highlight: "slab" });
  for (const kind of recording.kinds.filter((k) => k.name !== "hole")) {
    const kept = paint.lut[kind.id * 4] === pack(parseHex(kind.light));
    assert.equal(kept, kind.name === "slab", kind.name);
  }
});

test("hatches darken what is light and lighten what is dark", () => {
  assert.ok(luminance(hatchColour([240, 220, 80])) < luminance([240, 220, 80]));
  assert.ok(luminance(hatchColour([10, 12, 16])) > luminance([10, 12, 16]));
});

test("the legend lists what the recording ever holds, free memory last", async () => {
  const recording = await loadRecording("tiny");
  const names = legendRows(recording, "kind").map((row) => row.name);
  assert.deepEqual(names.slice(-2), ["free", "hole"]);
  assert.ok(names.includes("page_table"));
  const classes = legendRows(recording, "movability").map((row) => row.name);
  assert.deepEqual(classes, ["moves", "remap", "never", "free", "hole"]);
});

test("labels of a chart never overlap and stay inside", () => {
  const tops = spreadLabels([0.9, 0.91, 0.1, 1], 100, 20);
  const sorted = tops.toSorted((a, b) => a - b);
  sorted.slice(1).forEach((y, i) => assert.ok(y - sorted[i] >= 20));
  assert.ok(sorted[0] >= 10 && sorted.at(-1) <= 90);
  assert.ok(tops[0] < tops[1] && tops[1] < tops[3]);
});
