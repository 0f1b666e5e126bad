// How the optional panels share their room with the map and the chart. Pure.

import { clamp } from "./format.js";

export const DECK_GAP = 10;
export const DECK_STRIP = 34;
export const DECK_FRAME = { width: 26, height: 18, title: 26 };

const LEAST_MAP = 216;
const LEAST_CHART_BELOW = 112;
const GOOD_MAP = 250;
const FREE_HEIGHT = 300;
const DECK_SHARE = 0.4;
const SHARED_SHARE = 0.5;

/** Widths of panels beside one another, each the more the more it needs; null if they do not fit. */
export function widthsBeside(needs, width) {
  const room = width - (needs.length - 1) * DECK_GAP;
  const least = needs.reduce((sum, need) => sum + need.narrowest + DECK_FRAME.width, 0);
  if (least > room) return null;
  return needs.map((need) => Math.floor(((need.narrowest + DECK_FRAME.width) / least) * room));
}

/** The height that all of some panels can do with, each at its outer width. */
function leastOf(needs, widths, extra) {
  const heights = needs.map((need, i) => need.least(widths[i] - DECK_FRAME.width));
  return Math.max(...heights) + DECK_FRAME.height + extra;
}

/**
 * How the panels lie: {beside, widths, height, chart}.
 *
 * needs: of each panel {narrowest, least(width)}, css pixels of its inside. width: of the column.
 * left: what maps, panels and chart have together, where that is bounded; else Infinity. rows: of
 * maps. chart: what the chart would take; 0 where there is none. `height` is of the panels with
 * their tabs, without the gap before them; `chart` what is left to the chart, 0 if it is a tab too.
 */
export function planDeck({ needs, width, left, rows, chart }) {
  const widths = widthsBeside(needs, width);
  const free = !Number.isFinite(left);
  // With the chart below there is a gap more.
  const charted = chart > 0 ? LEAST_CHART_BELOW + DECK_GAP : 0;
  const fill = (share, least, map, below) => {
    const most = left - map * rows - below;
    return free ? Math.max(least, FREE_HEIGHT) : Math.floor(clamp(left * share, least, Math.max(least, most)));
  };
  if (widths) {
    const least = leastOf(needs, widths, DECK_FRAME.title);
    if (left >= LEAST_MAP * rows + least + charted) {
      return { beside: true, widths, height: fill(DECK_SHARE, least, GOOD_MAP, charted), chart };
    }
  }
  const whole = needs.map(() => width);
  const least = leastOf(needs, whole, DECK_STRIP);
  if (left >= GOOD_MAP * rows + least + charted) {
    return { beside: false, widths: whole, height: fill(DECK_SHARE, least, GOOD_MAP, charted), chart };
  }
  return { beside: false, widths: whole, height: fill(SHARED_SHARE, least, LEAST_MAP, 0), chart: 0 };
}
