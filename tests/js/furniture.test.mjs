import assert from "node:assert/strict";
import test from "node:test";

import { curtainOf, placesOfLater } from "../../hotmem_viz/views/static/furniture.js";
import { layoutMap } from "../../hotmem_viz/views/static/geometry.js";
import { loadRecording } from "./fixtures.mjs";

const labelWidth = (text) => text.length * 8;

/** Tiny's sections 0, 1, 2, then 5, then 6 as three boots. */
async function threeBoots(width, dpr = 1) {
  const { meta } = await loadRecording("tiny");
  const boots = [0, 4, 6].map((section) => ({ title: `from ${section}`, first_pfn: section * meta.machine.section_pages }));
  return layoutMap({ meta: { ...meta, boots }, width, height: 460, dpr, labelWidth });
}

for (const dpr of [1, 2]) {
  test(`a frame for each boot to come, equally wide, none over another, ${dpr}x`, async () => {
    const layout = await threeBoots(1200, dpr);
    const frames = placesOfLater(layout, 1);
    assert.equal(frames.length, 2);
    assert.equal(new Set(frames.map(({ x, w }) => `${x}/${w}`)).size, 1);
    const [first, second] = frames;
    assert.ok(first.y > curtainOf(layout, 1) && first.y + first.h < second.y);
    assert.ok(second.y + second.h <= layout.height && second.x + second.w <= layout.width);
    for (const [i, { y, h }] of frames.entries()) {
      const own = layout.blocks.filter(({ group }) => group.boot === i + 1);
      assert.ok(own.length > 0);
      for (const block of own) assert.ok(block.y >= y && block.y + layout.blockHeight <= y + h);
    }
  });
}

test("where all boots have run there is nothing to come", async () => {
  assert.deepEqual(placesOfLater(await threeBoots(1200), 3), []);
});

