// All panels of a stage, wired to it and put in their places.

import { ChartPanel } from "./chart.js";
import { ComparePanel } from "./compare.js";
import { TransportBar } from "./controls.js";
import { OptionalDeck } from "./deck.js";
import { DetailPanel } from "./detail.js";
import { setText } from "./dom.js";
import { LegendPanel } from "./legend.js";
import { copyLink } from "./linking.js";
import { hoverMap, hoverPage, openSection, pickSection } from "./pointing.js";
import { makeShell } from "./shell.js";
import { Side } from "./side.js";
import { Tooltip } from "./tooltip.js";
import { ZonesPanel } from "./zones.js";

/** What a test may ask of the stage's root element, without a global of the page. */
function testHandle(stage) {
  return {
    seek: (tick) => stage.seek(tick),
    tick: () => stage.transport.tick,
    middleOf: (section) => {
      const { map, recording } = stage.sides[0];
      const box = map.canvas.getBoundingClientRect();
      const { blocks, blockWidth, blockHeight, dpr } = map.layout;
      const { x, y } = blocks[recording.meta.sections.indexOf(section)];
      return [box.left + (x + blockWidth / 2) / dpr, box.top + (y + blockHeight / 2) / dpr];
    },
    pixels: () => {
      const { canvas, context } = stage.sides[0].map;
      return context.getImageData(0, 0, canvas.width, canvas.height).data;
    },
  };
}

/** A side of a stage: its map and caption, wired to it. */
function makeSide(stage, index) {
  return new Side(index, {
    onHover: (side, hit, event) => hoverMap(stage, side, hit, event),
    onPick: (side, picked) => {
      // In a crowd the first click is to the side, the next one to what lies there.
      if (stage.crowded && side !== stage.focus) focusSide(stage, side);
      else pickSection(stage, side, picked);
    },
    onFocus: (side) => focusSide(stage, side),
  });
}

/** What an optional panel may ask of the stage; `goTo` takes a side's tick. */
function deckHost(stage) {
  return {
    showTip: (text, event) => stage.tooltip.showText(text, event, stage.root),
    showRows: (title, rows, event) => stage.tooltip.showRows(title, rows, event, stage.root),
    hideTip: () => stage.tooltip.hide(),
    openSection: (side, section) => openSection(stage, side, section),
    focusSide: (side) => focusSide(stage, side),
    goTo: (side, tick) => stage.seek(stage.timeline.positionOf(side.index, tick)),
    showChart: (shown) => {
      stage.chart.el.hidden = !shown;
    },
  };
}

/** Tell of another side, where there are too many to tell of all. */
export function focusSide(stage, side) {
  if (side === stage.focus) return;
  stage.focus = side;
  if (!stage.crowded) return;
  placeFocus(stage);
  stage.loadPanels();
  stage.measured = null;
  stage.layOut();
}

/** Put the captions of the sides that are told of in their place, and mark those sides. */
function placeFocus(stage) {
  const { told, sides, shell } = stage;
  shell.captions.replaceChildren(...told.map((side) => side.caption.el));
  for (const side of sides) side.showFocus(stage.crowded ? side === stage.focus : null);
}

/** Give a stage as many sides as are shown, and put what is theirs in its place. */
export function placeSides(stage, { recordings, titles }) {
  const { shell, pool, timeline, transport, zonePanels } = stage;
  stage.hover = null;
  stage.sides = recordings.map((recording, i) => {
    const side = (pool[i] ??= makeSide(stage, i));
    side.load(recording, titles[i]);
    side.enter(timeline.tickAt(transport.tick, i));
    return side;
  });
  // Maps that stand side by side stay equally high.
  const noted = stage.sides.some((side) => side.hasNote);
  for (const { note } of stage.sides) note.hidden = !noted;
  if (!stage.sides.includes(stage.focus)) stage.focus = stage.sides[0];
  stage.zones = stage.told.length > 1 ? zonePanels.several : zonePanels.one;
  for (const panel of Object.values(zonePanels)) panel.el.hidden = panel !== stage.zones;
  stage.root.classList.toggle("hotmem-pair", stage.paired);
  stage.root.classList.toggle("hotmem-crowd", stage.crowded);
  shell.runs.replaceChildren(...stage.sides.map((side) => side.el));
  placeFocus(stage);
  const machines = recordings.map(({ meta }) => meta.machine.title || meta.machine.name);
  setText(shell.title, recordings[0].meta.title);
  setText(shell.subtitle, [...new Set(machines)].join(" · "));
}

/** The panels that all sides share, by name, with `shell` (see makeShell) and `root`. */
export function makePanels(stage) {
  const bar = new TransportBar({
    onAction: (action) => stage.act(action),
    onSeek: (tick) => stage.seek(tick),
    onSpeed: (speed) => stage.setTransport({ ...stage.transport, speed }),
  });
  const legend = new LegendPanel({
    onMode: (mode) => stage.setLook({ mode, highlight: null }),
    onHighlight: (highlight) => stage.setLook({ highlight }),
  });
  const detail = new DetailPanel({
    onHover: (facts, event) => hoverPage(stage, facts, event),
    onClose: () => pickSection(stage, stage.detail.side, null),
  });
  const chart = new ChartPanel({ onSeek: (tick) => stage.seek(tick) });
  const zonePanels = { one: new ZonesPanel(), several: new ComparePanel() };
  const tooltip = new Tooltip();
  const deck = new OptionalDeck(deckHost(stage));
  const shell = makeShell({
    bar: bar.el,
    deck: deck.el,
    chart: chart.el,
    side: [zonePanels.one.el, zonePanels.several.el, legend.el],
    over: [detail.el],
    tooltip: tooltip.el,
    onTheme: () => stage.nextTheme(),
    onLecture: () => stage.toggleLecture(),
    onCopy: () => copyLink(stage),
    onHelp: () => stage.toggleHelp(),
  });
  const { root } = shell;
  root.hotmem = testHandle(stage);
  return { bar, legend, detail, deck, chart, zonePanels, zones: zonePanels.one, tooltip, shell, root };
}
