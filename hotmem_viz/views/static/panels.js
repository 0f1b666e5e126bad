// All panels of a stage, wired to it and put in their places.

import { CaptionPanel } from "./caption.js";
import { ChartPanel } from "./chart.js";
import { TransportBar } from "./controls.js";
import { DetailPanel } from "./detail.js";
import { LegendPanel } from "./legend.js";
import { MemoryMap } from "./map.js";
import { hoverMap, hoverPage, pickSection } from "./pointing.js";
import { makeShell } from "./shell.js";
import { Tooltip } from "./tooltip.js";
import { ZonesPanel } from "./zones.js";

/** What a test may ask of the stage's root element, without a global of the page. */
function testHandle(stage, map) {
  return {
    seek: (tick) => stage.seek(tick),
    tick: () => stage.transport.tick,
    pixels: () => {
      const { canvas, context } = map;
      return context.getImageData(0, 0, canvas.width, canvas.height).data;
    },
  };
}

/** The panels by name, with `shell` (see makeShell) and `root`. */
export function makePanels(stage) {
  const map = new MemoryMap({
    onHover: (hit, event) => hoverMap(stage, hit, event),
    onPick: (hit) => pickSection(stage, hit?.index ?? null),
  });
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
    onClose: () => pickSection(stage, null),
  });
  const caption = new CaptionPanel();
  const chart = new ChartPanel({ onSeek: (tick) => stage.seek(tick) });
  const zones = new ZonesPanel();
  const tooltip = new Tooltip();
  const shell = makeShell({
    map: map.el,
    main: [bar.el, caption.el, chart.el],
    side: [zones.el, legend.el],
    over: [detail.el],
    tooltip: tooltip.el,
    onTheme: () => stage.nextTheme(),
    onLecture: () => stage.toggleLecture(),
    onHelp: () => stage.toggleHelp(),
  });
  const { root } = shell;
  root.hotmem = testHandle(stage, map);
  return { map, bar, legend, detail, caption, chart, zones, tooltip, shell, root };
}
