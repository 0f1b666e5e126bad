// What keys do, apart from moving in time, which transport.js knows.

import { cellOfPfn } from "./cells.js";
import { closeTold, copyLink } from "./linking.js";
import { focusSide } from "./panels.js";
import { pickSection } from "./pointing.js";
import { actionOfKey } from "./transport.js";

function openLastEvent(stage) {
  const found = stage.timeline?.lastPage(stage.transport.tick);
  if (!found) return;
  const side = stage.sides[found.side];
  const { meta } = side.recording;
  const cell = cellOfPfn(meta, found.event.pfn);
  if (cell >= 0) pickSection(stage, side, Math.floor(cell / meta.cells_per_section));
}

/** Close the topmost thing that is open. */
function closeTop(stage) {
  if (!stage.shell.help.hidden) stage.toggleHelp();
  else if (closeTold(stage)) return;
  else if (stage.detail.open) pickSection(stage, stage.detail.side, null);
  else if (stage.look.highlight) stage.setLook({ highlight: null });
  else if (stage.root.classList.contains("hotmem-lecture")) stage.toggleLecture();
}

function switchMode(stage) {
  const mode = stage.look.mode === "kind" ? "movability" : "kind";
  stage.setLook({ mode, highlight: null });
}

function toggleFullScreen({ root }) {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen?.().catch(() => {});
}

const STAGE_KEYS = {
  Escape: closeTop,
  "?": (stage) => stage.toggleHelp(),
  l: (stage) => stage.toggleLecture(),
  f: toggleFullScreen,
  t: (stage) => stage.nextTheme(),
  c: copyLink,
  m: switchMode,
  d: openLastEvent,
  p: (stage) => stage.deck.chooseNext(),
};

/** Do what a key asks for and keep it from the page; leave alone what is not ours. */
export function handleKey(stage, event) {
  if (event.target.tagName === "SELECT" && event.key.startsWith("Arrow")) return;
  const plain = !(event.ctrlKey || event.altKey || event.metaKey);
  const action = actionOfKey(event);
  const side = stage.crowded && plain ? stage.sides[Number(event.key) - 1] : undefined;
  if (action) stage.act(action);
  else if (side) focusSide(stage, side);
  else if (plain && STAGE_KEYS[event.key]) STAGE_KEYS[event.key](stage);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
