// How the optional panels share their room with the map and the chart, and which are shown. Pure.

import { clamp } from "./format.js";

export const DECK_GAP = 10;
export const DECK_STRIP = 34;
export const DECK_FRAME = { width: 26, height: 18, title: 26 };

const MAP = { least: 216, good: 250, deck: 0.4 };
const LEAST_CHART_BELOW = 112;
const FREE_HEIGHT = 300;
const SHARED_SHARE = 0.5;

/** How many panels can stand beside one another: any of them must have the width it needs. */
export function countColumns(needs, width) {
  const narrowest = Math.max(...needs.map((need) => need.narrowest)) + DECK_FRAME.width;
  return clamp(Math.floor((width + DECK_GAP) / (narrowest + DECK_GAP)), 1, needs.length);
}

/**
 * How the panels lie: {columns, width, height, chart, tabbed, titled}.
 *
 * needs: of each panel {narrowest, least(width)}, css pixels of its inside. width: of the column.
 * left: what maps, panels and chart have together, where that is bounded; else Infinity. rows: of
 * maps; map: what one of them needs at least, and to be good, and the deck's share of `left`. chart: what the chart would take; 0 where there is none. maps: what maps of very many
 * sections need, where that is known. Of the answer `width` is a panel's outer one; `height` is of the panels with their tabs, without the gap before them;
 * `chart` what is left to the chart, 0 if it is a tab too.
 */
export function planDeck({ needs, width, left, rows, map: one = MAP, chart, maps = 0 }) {
  const [leastMap, goodMap] = [one.least, one.good].map((height) => Math.max(height * rows, maps));
  const most = countColumns(needs, width);
  const choices = Array.from({ length: most }, (_, i) => most - i);
  const planned = (columns, share, map, below) => {
    const outer = Math.floor((width - (columns - 1) * DECK_GAP) / columns);
    const inside = Math.max(...needs.map((need) => need.least(outer - DECK_FRAME.width))) + DECK_FRAME.height;
    const tabbed = columns < needs.length || (chart > 0 && below === 0);
    const titled = !tabbed || columns > 1;
    const least = inside + (tabbed ? DECK_STRIP : 0) + (titled ? DECK_FRAME.title : 0);
    const spare = left - map - below;
    const free = !Number.isFinite(left);
    const height = free ? Math.max(least, FREE_HEIGHT) : Math.floor(clamp(left * share, least, Math.max(least, spare)));
    const fits = leastMap + least + below <= left;
    return { fits, columns, width: outer, height, chart: below > 0 ? chart : 0, tabbed, titled };
  };
  // With the chart below there is a gap more; without it, it is a tab.
  const below = chart > 0 ? LEAST_CHART_BELOW + DECK_GAP : 0;
  const plans = [
    ...choices.map((columns) => planned(columns, one.deck, goodMap, below)),
    ...choices.map((columns) => planned(columns, SHARED_SHARE, leastMap, 0)),
  ];
  return plans.find((plan) => plan.fits) ?? plans.at(-1);
}

/**
 * Names of panels, those to be shown first: the picked ones, then by what happened last.
 *
 * picks: names, the latest first. told: {tick, name} of events that are about a panel.
 */
export function orderPanels(names, picks, told) {
  const latest = new Map(told.map(({ tick, name }, i) => [name, [tick, i]]));
  const rank = (name) => latest.get(name) ?? [-1, -names.indexOf(name)];
  const rest = names.filter((name) => !picks.includes(name));
  rest.sort((a, b) => rank(b)[0] - rank(a)[0] || rank(b)[1] - rank(a)[1]);
  return [...picks, ...rest];
}
