import assert from "node:assert/strict";
import test from "node:test";

import { cellOfPfn, groupSections, ownPfn, ownSection, pfnOfCell, zoneOfPfn } from "../../hotmem_viz/views/static/cells.js";
import {
  borderPath,
  hitTest,
  layoutMap,
  partEdges,
  pixelOfCell,
} from "../../hotmem_viz/views/static/geometry.js";
import { layoutDetail } from "../../hotmem_viz/views/static/detailgeometry.js";
import { loadRecording } from "./fixtures.mjs";

const labelWidth = (text) => text.length * 8;
const overlap = (a, b, layout) =>
  Math.abs(a.x - b.x) < layout.blockWidth && Math.abs(a.y - b.y) < layout.blockHeight;

for (const name of ["tiny", "overview"]) {
  for (const width of [700, 916, 1280, 2500]) {
    for (const dpr of [1, 1.5, 2]) {
      test(`${name} at ${width} px, ${dpr}x: every section once, nothing overlaps or leaves`, async () => {
        const { meta } = await loadRecording(name);
        const height = 460;
        const layout = layoutMap({ meta, width, height, dpr, labelWidth });
        assert.ok(layout.height <= height * dpr, `${layout.height} device pixels high`);
        assert.deepEqual(layout.blocks.map((b) => b.section), meta.sections);
        const spots = [...layout.blocks, ...layout.holes];
        for (const spot of spots) {
          assert.ok(spot.x >= 0 && spot.x + layout.blockWidth <= layout.width);
          assert.ok(spot.y >= 0 && spot.y + layout.blockHeight <= layout.height);
          assert.ok(Number.isInteger(spot.x) && Number.isInteger(spot.y));
        }
        const near = spots.slice(0, 80);
        near.forEach((a, i) => near.slice(0, i).forEach((b) => assert.ok(!overlap(a, b, layout))));
        assert.ok(layout.w >= 1 && layout.h >= 1);
      });

      test(`${name} at ${width} px, ${dpr}x: a cell's pixels lead back to the cell`, async () => {
        const { meta, cells } = await loadRecording(name);
        const layout = layoutMap({ meta, width, height: 460, dpr, labelWidth });
        for (let cell = 0; cell < cells; cell += Math.ceil(cells / 997)) {
          const { x, y, right, bottom } = pixelOfCell(layout, cell);
          assert.ok(right > x && bottom > y);
          assert.equal(hitTest(layout, x, y).cell, cell);
          assert.equal(hitTest(layout, right - 1, bottom - 1).cell, cell);
        }
        assert.equal(hitTest(layout, -1, -1), null);
        const [hole] = layout.holes;
        assert.equal(hitTest(layout, hole.x + 1, hole.y + 1).hole.first, hole.first);
      });
    }
  }
}

test("a terse map has no labels and no numbers, all sections, and needs less height", async () => {
  const { meta } = await loadRecording("tiny");
  const box = { meta, width: 300, height: 140, labelWidth };
  const terse = layoutMap({ ...box, terse: true });
  assert.deepEqual(terse.blocks.map((b) => b.section), meta.sections);
  assert.ok(terse.height <= 140 && terse.height < layoutMap(box).height);
  assert.deepEqual([terse.groupLine, terse.numberLine], [0, 0]);
  for (const [i, block] of terse.blocks.entries()) {
    assert.equal(hitTest(terse, block.x, block.y).index, i);
    const before = terse.blocks[i - 1];
    if (before && before.group.nid !== block.group.nid) assert.ok(block.y > before.y, "a node begins a line");
  }
});

test("more height never makes cells smaller", async () => {
  const { meta } = await loadRecording("overview");
  const area = (height) => {
    const layout = layoutMap({ meta, width: 1200, height, labelWidth });
    return layout.blockWidth * layout.blockHeight;
  };
  const areas = [300, 450, 600, 900].map(area);
  assert.deepEqual(areas, areas.toSorted((a, b) => a - b));
});

test("a map that cannot fit grows instead of vanishing", async () => {
  const { meta } = await loadRecording("overview");
  const layout = layoutMap({ meta, width: 700, height: 40, labelWidth });
  assert.ok(layout.height > 40);
  assert.equal(layout.blocks.length, meta.sections.length);
});

test("sections are grouped by node and main zone, in order, with holes where they are", async () => {
  const { meta } = await loadRecording("tiny");
  const groups = groupSections(meta);
  assert.deepEqual(groups.map((g) => g.label), [
    "node 0 · DMA + DMA32",
    "node 1 · Normal",
    "node 1 · Movable",
  ]);
  assert.deepEqual(groups.map((g) => g.items.map((i) => (i.hole ? `-${i.count}` : i.section))), [
    [0, 1, 2],
    ["-2", 5],
    [6],
  ]);
});

/** Tiny's sections 0, 1, 2 and 5, 6 as two boots: the second one's band begins with section 4. */
async function twoBoots() {
  const { meta } = await loadRecording("tiny");
  const boots = [
    { title: "day 1", first_pfn: 0 },
    { title: "a month later", first_pfn: 4 * meta.machine.section_pages },
  ];
  return { ...meta, boots };
}

test("of several boots, each is named where it begins, and the gap between bands is no hole", async () => {
  const groups = groupSections(await twoBoots());
  assert.deepEqual(groups.map((g) => g.label), [
    "day 1: node 0 · DMA + DMA32",
    "a month later: node 1 · Normal",
    "node 1 · Movable",
  ]);
  assert.deepEqual(groups[1].items.map((i) => (i.hole ? [i.first, i.count] : i.section)), [[4, 1], 5]);
});

test("of several boots, each starts a line, and nodes share lines", async () => {
  const meta = await twoBoots();
  const layout = layoutMap({ meta, width: 2500, height: 460, labelWidth });
  const lines = layout.labels.map((label) => label.line);
  assert.deepEqual(lines, [0, 1, 1]);
  const [first, second] = layout.bootTops;
  assert.equal(first, 0);
  const bottom = layout.blocks[2].y + layout.blockHeight;
  assert.ok(second >= bottom && second < layout.blocks[3].y, `${bottom} ${second}`);
  // Nodes of a single machine start lines, whatever room there is beside them.
  const { meta: single } = await loadRecording("tiny");
  const nodes = layoutMap({ meta: single, width: 2500, height: 460, labelWidth });
  assert.deepEqual(nodes.labels.map((label) => label.line), [0, 1, 1]);
  const shared = { ...meta, zones: meta.zones.map((zone) => ({ ...zone, nid: zone.id })) };
  assert.deepEqual(layoutMap({ meta: shared, width: 2500, height: 460, labelWidth }).labels.map((l) => l.line), [0, 1, 1]);
});

test("numbers and labels stand apart whatever the device's pixels are", async () => {
  const { meta } = await loadRecording("tiny");
  for (const dpr of [1, 2, 3]) {
    const layout = layoutMap({ meta, width: 900, height: 460, dpr, labelWidth });
    assert.equal(layout.numbered, true);
    const [first] = layout.blocks;
    const label = layout.labels[0].y - layout.numberLine - layout.groupLine;
    assert.ok(layout.numberLine >= 17 * dpr && label >= 0 && label <= 4 * dpr, `${dpr}x: ${label} of ${first.y}`);
  }
});

test("lines stand closer where they would not fit otherwise, and letters keep a line of their own", async () => {
  const { meta } = await loadRecording("tiny");
  const [roomy, close] = [460, 76].map((height) => layoutMap({ meta, width: 1200, height, labelWidth }));
  assert.ok(close.fits && close.groupLine < roomy.groupLine && close.groupLine >= close.labelSize + 4);
  assert.ok(close.lineTop[1] - close.lineTop[0] < roomy.lineTop[1] - roomy.lineTop[0]);
  assert.equal(layoutMap({ meta, width: 1200, height: roomy.height, labelWidth }).groupLine, roomy.groupLine);
});

test("pfns and sections of a later boot are told as its own machine numbers them", async () => {
  const meta = await twoBoots();
  assert.equal(ownPfn(meta, 100), 100);
  assert.equal(ownPfn(meta, 5 * 3072 + 7), 3072 + 7);
  assert.deepEqual(meta.sections.map((section) => ownSection(meta, section)), [0, 1, 2, 1, 2]);
});

test("a zone border inside a section is a line at its cell", async () => {
  const { meta } = await loadRecording("tiny");
  const layout = layoutMap({ meta, width: 900, height: 460, labelWidth });
  assert.deepEqual(layout.borders.map((b) => [b.index, b.zone.zone, b.cell]), [[0, "DMA32", 100]]);
  const { columns, xEdges, yEdges, blockWidth } = layout;
  const row = Math.floor(100 / columns);
  const x = xEdges[100 % columns];
  assert.deepEqual(borderPath(layout, 100), [
    [0, yEdges[row + 1]],
    [x, yEdges[row + 1]],
    [x, yEdges[row]],
    [blockWidth, yEdges[row]],
  ]);
  assert.deepEqual(borderPath(layout, columns), [[0, yEdges[1]], [blockWidth, yEdges[1]]]);
});

test("pfns and cells lead to each other; a hole has no cell", async () => {
  for (const name of ["tiny", "overview"]) {
    const { meta, cells } = await loadRecording(name);
    for (const cell of [0, 1, Math.floor(cells / 2), cells - 1]) {
      const pfn = pfnOfCell(meta, cell);
      assert.equal(cellOfPfn(meta, pfn), cell);
      assert.equal(cellOfPfn(meta, pfn + meta.pages_per_cell - 1), cell);
    }
  }
  const { meta } = await loadRecording("tiny");
  assert.equal(cellOfPfn(meta, 3 * 3072), -1);
  assert.equal(zoneOfPfn(meta, 99).zone, "DMA");
  assert.equal(zoneOfPfn(meta, 100).zone, "DMA32");
  assert.equal(zoneOfPfn(meta, 1e9), undefined);
});

test("parts cover a length without gaps and differ by one pixel at most", () => {
  const edges = partEdges(7, 100);
  const sizes = [...edges].slice(1).map((edge, i) => edge - edges[i]);
  assert.equal(edges.at(-1), 100);
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
});

test("a section in detail shows all its pages inside its panel", () => {
  for (const [pages, width, height] of [[1024, 1100, 280], [32768, 1100, 300], [3072, 640, 400]]) {
    const { columns, rows, w, h } = layoutDetail(pages, width, height);
    assert.ok(columns * rows >= pages);
    assert.ok(columns * w <= width);
    assert.ok(w >= 1 && h >= 1);
  }
  const { w, h } = layoutDetail(1024, 1100, 280);
  assert.ok(w >= 12 && h >= 15, "a classroom section's pages are large enough for glyphs");
});
