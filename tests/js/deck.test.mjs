import assert from "node:assert/strict";
import test from "node:test";

import { DECK_FRAME, DECK_GAP, planDeck, widthsBeside } from "../../hotmem_viz/views/static/deckplan.js";

const need = (narrowest, height) => ({ narrowest, least: () => height });
const NEEDS = [need(380, 180), need(440, 170), need(400, 200)];
const LEAST_MAP = 216;

test("panels lie beside one another where all have the width they need, each the more the more it needs", () => {
  const widths = widthsBeside(NEEDS, 1500);
  assert.ok(widths.every((width, i) => width >= NEEDS[i].narrowest + DECK_FRAME.width));
  assert.ok(widths.reduce((sum, width) => sum + width, 2 * DECK_GAP) <= 1500);
  assert.ok(widths[1] > widths[2] && widths[2] > widths[0]);
  assert.equal(widthsBeside(NEEDS, 1300), null);
  assert.deepEqual(widthsBeside(NEEDS.slice(1, 2), 906), [906]);
});

for (const left of [380, 470, 600, 840, 1200]) {
  for (const width of [676, 906, 1206, 1454, 2020]) {
    for (const rows of [1, 2]) {
      test(`${width} x ${left}, ${rows} row(s) of maps: panels get what they need, and no more than there is`, () => {
        const chart = 150;
        const plan = planDeck({ needs: NEEDS, width, left, rows, chart });
        const widths = plan.widths.map((one) => one - DECK_FRAME.width);
        const least = Math.max(...NEEDS.map((one, i) => one.least(widths[i]))) + DECK_FRAME.height;
        assert.ok(plan.height >= least);
        const rest = left - plan.height - (plan.chart > 0 ? plan.chart + DECK_GAP : 0);
        const least_rest = left - least - DECK_FRAME.title - 8;
        // A map keeps its least height, unless the panels' own least leaves none.
        assert.ok(plan.chart > 0 || rest >= Math.min(LEAST_MAP * rows, least_rest));
        assert.equal(plan.beside, plan.chart > 0 && width >= 1318);
      });
    }
  }
}

test("where there is no room for the chart as well, it becomes a tab", () => {
  const small = planDeck({ needs: NEEDS, width: 906, left: 470, rows: 1, chart: 144 });
  assert.deepEqual([small.beside, small.chart], [false, 0]);
  const large = planDeck({ needs: NEEDS, width: 906, left: 800, rows: 1, chart: 144 });
  assert.deepEqual([large.beside, large.chart], [false, 144]);
  const lecture = planDeck({ needs: NEEDS, width: 1256, left: 420, rows: 1, chart: 0 });
  assert.deepEqual([lecture.beside, lecture.chart], [false, 0]);
});

test("a page that scrolls takes nothing from the map or the chart", () => {
  const plan = planDeck({ needs: NEEDS, width: 876, left: Infinity, rows: 1, chart: 130 });
  assert.deepEqual([plan.beside, plan.chart, plan.height], [false, 130, 300]);
  const tall = planDeck({ needs: [need(380, 500)], width: 876, left: Infinity, rows: 1, chart: 130 });
  assert.equal(tall.height, 500 + DECK_FRAME.height + DECK_FRAME.title);
});
