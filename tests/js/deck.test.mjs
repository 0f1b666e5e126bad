import assert from "node:assert/strict";
import test from "node:test";

import { countColumns, DECK_FRAME, DECK_GAP, DECK_STRIP, orderPanels, planDeck } from "../../hotmem_viz/views/static/deckplan.js";

const need = (narrowest, height) => ({ narrowest, least: () => height });
const NEEDS = [need(380, 180), need(440, 170), need(400, 200)];
const LEAST_MAP = 216;
const TALLEST = 200;

test("as many panels lie beside one another as have the width that any of them needs", () => {
  const each = 440 + DECK_FRAME.width;
  const columns = [each - 60, each, 2 * each, 2 * each + DECK_GAP, 3 * each + 2 * DECK_GAP, 9999];
  assert.deepEqual(columns.map((width) => countColumns(NEEDS, width)), [1, 1, 1, 2, 3, 3]);
});

for (const left of [380, 470, 600, 840, 1200]) {
  for (const width of [676, 906, 1206, 1454, 2020]) {
    for (const rows of [1, 2]) {
      test(`${width} x ${left}, ${rows} row(s) of maps: panels get what they need, the map keeps its least`, () => {
        const chart = 150;
        const plan = planDeck({ needs: NEEDS, width, left, rows, chart });
        assert.ok(plan.columns * plan.width + (plan.columns - 1) * DECK_GAP <= width);
        const above = (plan.tabbed ? DECK_STRIP : 0) + (plan.titled ? DECK_FRAME.title : 0);
        const least = TALLEST + DECK_FRAME.height + above;
        assert.ok(plan.height >= least);
        const charted = plan.chart > 0 ? 112 + DECK_GAP : 0;
        assert.ok(left - plan.height - charted >= Math.min(LEAST_MAP * rows, left - least));
        assert.equal(plan.tabbed, plan.columns < 3 || plan.chart === 0);
        assert.ok(plan.titled || plan.tabbed, "a panel has a title or a tab");
      });
    }
  }
}

test("where there is no room for the chart as well, it becomes a tab", () => {
  const plan = (width, left, chart) => {
    const { columns, tabbed, chart: kept } = planDeck({ needs: NEEDS, width, left, rows: 1, chart });
    return [columns, tabbed, kept];
  };
  assert.deepEqual(plan(906, 470, 144), [1, true, 0]);
  assert.deepEqual(plan(906, 800, 144), [1, true, 144]);
  assert.deepEqual(plan(1454, 800, 144), [3, false, 144]);
  assert.deepEqual(plan(1454, 500, 144), [3, true, 0]);
  // Fewer beside one another, with less above them, may fit where more do not.
  assert.deepEqual(plan(1454, 470, 144), [1, true, 0]);
  assert.deepEqual(plan(1454, 470, 0), [3, false, 0]);
});

test("maps that need more than their share leave the panels what they cannot do without", () => {
  const room = { needs: NEEDS, width: 906, left: 520, rows: 1, chart: 144 };
  const least = TALLEST + DECK_FRAME.height + DECK_STRIP;
  assert.ok(planDeck(room).height > least);
  for (const maps of [300, 400]) assert.equal(planDeck({ ...room, maps }).height, Math.max(least, 0));
  assert.equal(planDeck({ ...room, left: 600, maps: 310 }).height, 290);
});

test("a page that scrolls takes nothing from the map or the chart", () => {
  const { columns, chart, height } = planDeck({ needs: NEEDS, width: 876, left: Infinity, rows: 1, chart: 130 });
  assert.deepEqual([columns, chart, height], [1, 130, 300]);
  const tall = planDeck({ needs: [need(380, 500)], width: 876, left: Infinity, rows: 1, chart: 130 });
  assert.deepEqual([tall.tabbed, tall.height], [false, 500 + DECK_FRAME.height + DECK_FRAME.title]);
});

test("what was picked comes first, then what happened last, then the order of places", () => {
  const names = ["lanes", "map", "tables", "meters"];
  const told = [[3, "map"], [5, "lanes"], [6, "map"], [6, "tables"]].map(([tick, name]) => ({ tick, name }));
  assert.deepEqual(orderPanels(names, [], []), names);
  assert.deepEqual(orderPanels(names, [], told), ["tables", "map", "lanes", "meters"]);
  assert.deepEqual(orderPanels(names, ["meters", "lanes"], told), ["meters", "lanes", "tables", "map"]);
});
