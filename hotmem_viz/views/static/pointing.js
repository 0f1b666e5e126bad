// What the pointer does: hovering tells, clicking opens a section.

import { describeCell } from "./tooltip.js";

/** Show what is at `hit` (see hitTest), or nothing. */
export function hoverMap(stage, hit, event) {
  const { map, tooltip, root } = stage;
  stage.hover = hit ? { hit, event } : null;
  map.canvas.classList.toggle("hotmem-over", hit?.index !== undefined);
  if (map.layout) map.showHover(hit?.index ?? null);
  if (!hit) {
    tooltip.hide();
  } else if (hit.hole) {
    const { first, count } = hit.hole;
    const name = count === 1 ? `Section §${first}` : `Sections §${first} – §${first + count - 1}`;
    tooltip.showText(`${name}: no memory.`, event, root);
  } else {
    const facts = describeCell(stage.recording, stage.scene.tracks, hit.cell);
    tooltip.showFacts(facts, stage.theme, event, root);
  }
}

/** Show facts about a page of the section in detail, or nothing. */
export function hoverPage(stage, facts, event) {
  if (facts) stage.tooltip.showFacts(facts, stage.theme, event, stage.root);
  else stage.tooltip.hide();
}

/** Open a section by its index, or close the one that is open: with null, or once more. */
export function pickSection(stage, index) {
  hoverMap(stage, null);
  stage.detail.show(index === stage.detail.index ? null : index);
  if (stage.map.layout) stage.map.showPick(stage.detail.index);
  stage.drawDetail();
}
