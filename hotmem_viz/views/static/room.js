// How large everything on the stage is, which depends on the page around it.

import { clamp } from "./format.js";

const NOTEBOOK_MAP = 460;
const CROWD_OF_THREE = 900;
const CROWD_MAP = { least: 108, good: 130, deck: 0.27, notebook: 150 };
const SMALLEST_MAP = 220;
const CHART_SHARE = 0.2;
const NARROW = 860;
const LOWEST_CAPTION = 72;
const HIGHEST_CAPTION = 132;
const HIGHEST_PAIR_CAPTION = 168;
const HIGHEST_FREE_CAPTION = 200;
const LECTURE_CAPTION = 210;
const SMALLEST_CHART = 130;
const LEAST_CHART = 104;
const BELOW_MAP = 46;
const BELOW_CLOSE_MAP = 29;
const BELOW_LOW_MAP = 40;
const BETWEEN = 10;
const LABELS = 14;
const LECTURE_LABELS = 18;
const HUGE_LABELS = 17;
const HUGE_WIDTH = 2100;
const HUGE_HEIGHT = 1000;
const WIDE = 1080;
const WIDE_PAIR = 1240;
const BESIDE = 800;
const CLOSE = 1500;
const LOW = 800;
const LOWEST = 660;
const PAIR_NOTEBOOK_MAP = 270;
const SIDE_SHARE = 0.225;
const SIDE = [338, 500];
const BELOW_SIDE = 22;
const NARROW_DETAIL = 300;
const NOTEBOOK_AROUND = 150;
const HIGHEST_NOTEBOOK = 860;
const SMALLEST_FIT = 560;
const MOST_AROUND = 0.4;

/** Height for the stage: the window's rest in a page of its own, a part of it in a notebook. */
function stageRoom(root) {
  if (document.fullscreenElement === root) return { height: window.innerHeight, notebook: false };
  const voila = document.body.dataset.voila !== undefined;
  if (!voila && document.querySelector(".jp-LabShell, .jp-NotebookShell")) {
    const room = window.innerHeight - NOTEBOOK_AROUND;
    return { height: clamp(room, SMALLEST_FIT, HIGHEST_NOTEBOOK), notebook: true };
  }
  let around = root.getBoundingClientRect().top + window.scrollY;
  for (let node = root.parentElement; node; node = node.parentElement) {
    const { marginBottom, paddingBottom } = getComputedStyle(node);
    around += (parseFloat(marginBottom) || 0) + (parseFloat(paddingBottom) || 0);
    if (node !== document.documentElement) around += node.scrollTop;
  }
  const most = window.innerHeight * MOST_AROUND;
  const height = Math.floor(window.innerHeight - Math.min(around, most));
  return { height: Math.max(SMALLEST_FIT, height), notebook: false };
}

/** How many sides stand beside one another; the others below, where there is no room. */
function countAcross({ root, sides, crowded }) {
  if (!root.classList.contains("hotmem-beside")) return 1;
  if (!crowded) return sides.length;
  return root.clientWidth >= CROWD_OF_THREE ? 3 : 2;
}

/** Rows of maps. */
function countRows(stage) {
  return Math.ceil(stage.sides.length / countAcross(stage));
}

/** What `measure` says of every side: the most of each row, summed. */
function stackHeights(stage, measure) {
  const columns = countAcross(stage);
  const heights = stage.sides.map(measure);
  const rows = Array.from({ length: countRows(stage) }, (_, row) => heights.slice(row * columns, (row + 1) * columns));
  return rows.reduce((sum, row) => sum + Math.max(...row), 0);
}

/** Rows of captions: a crowd has one. */
const countCaptions = (stage) => (stage.crowded ? 1 : countRows(stage));

/** What a caption may take at most: a page that scrolls has room, and beside another it has less width. */
function highestCaption({ paired, crowded, root }, lecture) {
  if (lecture) return LECTURE_CAPTION;
  if (crowded) return HIGHEST_CAPTION;
  if (!root.classList.contains("hotmem-wide")) return HIGHEST_FREE_CAPTION;
  return paired ? HIGHEST_PAIR_CAPTION : HIGHEST_CAPTION;
}

/** Borders, gaps and padding below the maps: less of them where there is less room. */
function belowMaps({ classList }) {
  if (classList.contains("hotmem-close")) return BELOW_CLOSE_MAP;
  return classList.contains("hotmem-low") ? BELOW_LOW_MAP : BELOW_MAP;
}

/** Heights of the parts beside the maps; sets the classes and variables they follow. */
function measureParts(stage, { width, height, notebook, lecture }) {
  const { root, shell } = stage;
  root.classList.toggle("hotmem-narrow", width < NARROW);
  const huge = !notebook && width >= HUGE_WIDTH && height >= HUGE_HEIGHT;
  root.classList.toggle("hotmem-huge", huge);
  const highest = highestCaption(stage, lecture);
  const told = stage.crowded ? stage.sides.map(({ recording }) => recording) : undefined;
  const caption = clamp(Math.max(...stage.told.map((side) => side.caption.measure(told))), LOWEST_CAPTION, highest);
  root.style.setProperty("--hotmem-caption", `${caption}px`);
  const above = shell.main.getBoundingClientRect().top - root.getBoundingClientRect().top;
  const chart = lecture ? 0 : Math.max(SMALLEST_CHART, height * CHART_SHARE);
  const heads = stackHeights(stage, (side) => side.head.offsetHeight);
  const below = belowMaps(root);
  const gaps = (countRows(stage) + countCaptions(stage) - 2) * BETWEEN;
  const fixed = above + stage.bar.el.offsetHeight + caption * countCaptions(stage) + heads + gaps + below;
  return { above, chart, fixed, labels: huge ? HUGE_LABELS : LABELS };
}

/** The detail panel covers the maps, and in a wide stage the side column as well. */
function fitDetail(stage, wide) {
  const covered = stackHeights(stage, (side) => side.el.offsetHeight || side.mapPanel.offsetHeight);
  const height = wide ? covered : Math.max(covered, NARROW_DETAIL);
  stage.root.style.setProperty("--hotmem-detail-height", `${height}px`);
  stage.detail.measured = null;
}

/** Give every part its size and paint; does nothing while the room is the same. */
export function arrangeStage(stage) {
  const { root } = stage;
  const width = root.clientWidth;
  const lecture = root.classList.contains("hotmem-lecture");
  const wide = width >= (stage.paired ? WIDE_PAIR : WIDE) && !lecture;
  root.classList.toggle("hotmem-wide", wide);
  root.classList.toggle("hotmem-beside", stage.paired && width >= BESIDE);
  root.style.setProperty("--hotmem-columns", countAcross(stage));
  const { height, notebook } = stageRoom(root);
  const low = wide && height < LOW;
  const close = stage.paired && width >= BESIDE && width < CLOSE;
  root.classList.toggle("hotmem-low", low);
  root.classList.toggle("hotmem-lowest", wide && height < LOWEST);
  root.classList.toggle("hotmem-close", close);
  root.classList.toggle("hotmem-tell-close", low || close);
  root.style.setProperty("--hotmem-side", `${Math.round(clamp(width * SIDE_SHARE, ...SIDE))}px`);
  const dpr = Math.min(3, window.devicePixelRatio || 1);
  const key = [width, height, dpr, wide, root.className, notebook].join("/");
  if (key === stage.measured) return;
  root.style.setProperty("--hotmem-height", `${height}px`);
  const { above, chart, fixed, labels } = measureParts(stage, { width, height, notebook, lecture });
  const several = stage.crowded ? CROWD_MAP.notebook : PAIR_NOTEBOOK_MAP;
  const inNotebook = stage.paired ? several : NOTEBOOK_MAP;
  const notes = stackHeights(stage, (side) => side.note.offsetHeight + side.line.offsetHeight);
  const bounded = wide || lecture;
  const room = {
    width: stage.shell.main.clientWidth,
    left: bounded ? height - fixed - notes : Infinity,
    rows: countRows(stage),
    map: stage.crowded ? CROWD_MAP : undefined,
    chart,
  };
  let deck = stage.deck.fit(room);
  const left = (height - fixed - deck.chart - (bounded ? deck.height : 0) - notes) / countRows(stage);
  const share = notebook && !wide ? inNotebook : Math.max(stage.crowded ? CROWD_MAP.least : SMALLEST_MAP, left);
  for (const { map, recording, mapPanel } of stage.sides) {
    const text = lecture ? LECTURE_LABELS : labels;
    map.resize(recording, { width: mapPanel.clientWidth, height: share, dpr, text, terse: stage.crowded });
  }
  // A map of very many sections may need more than its share: then other panels have what they
  // cannot do without, and if that is too much the stage grows.
  const maps = stackHeights(stage, (side) => side.mapPanel.offsetHeight);
  if (bounded && maps > share * countRows(stage) + notes) deck = stage.deck.fit({ ...room, maps: maps - notes });
  const least = fixed + (deck.chart > 0 ? LEAST_CHART : 0) + deck.height + maps;
  const grown = Math.max(height, least);
  root.style.setProperty("--hotmem-height", `${grown}px`);
  stage.repaint();
  const legend = stage.legend.el.offsetHeight;
  const side = wide ? grown - above - BELOW_SIDE - legend : legend;
  stage.zones.fit((side * LABELS) / labels, wide);
  stage.deck.settle();
  fitDetail(stage, wide);
  stage.drawDetail();
  stage.measured = [width, height, dpr, wide, root.className, notebook].join("/");
}
