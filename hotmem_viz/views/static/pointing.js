// What the pointer does: hovering tells, clicking opens a section.

import { ownSection } from "./cells.js";
import { describeCell } from "./tooltip.js";

/** Frame the section under the pointer, and the same section of every other side. */
function frameHover(stage, side, index) {
  const section = side.recording?.meta.sections[index];
  for (const other of stage.sides) {
    if (!other.map.layout) continue;
    const same = other === side ? index : other.recording.meta.sections.indexOf(section);
    other.map.showHover(index === null || same < 0 ? null : same);
  }
}

/** Show what is at `hit` (see hitTest) on a side's map, or nothing. */
export function hoverMap(stage, side, hit, event) {
  const { tooltip, root } = stage;
  stage.hover = hit ? { side, hit, event } : null;
  side.map.canvas.classList.toggle("hotmem-over", hit?.index !== undefined);
  frameHover(stage, side, hit?.index ?? null);
  if (!hit) {
    tooltip.hide();
  } else if (hit.hole) {
    const { count } = hit.hole;
    const first = ownSection(side.recording.meta, hit.hole.first);
    const name = count === 1 ? `Section §${first}` : `Sections §${first} – §${first + count - 1}`;
    tooltip.showText(`${name}: no memory.`, event, root);
  } else if (!side.recording.hasMap) {
    tooltip.hide();
  } else {
    const facts = describeCell(side.recording, side.scene.tracks, hit.cell);
    tooltip.showFacts(facts, stage.theme, event, root);
  }
}

/** Show facts about a page of the section in detail, or nothing. */
export function hoverPage(stage, facts, event) {
  if (facts) stage.tooltip.showFacts(facts, stage.theme, event, stage.root);
  else stage.tooltip.hide();
}

/** Which section of a side stands open in detail, or null. */
export function pickedOf(stage, side) {
  return stage.detail.side === side ? stage.detail.index : null;
}

/** Open a section of a side by its index, or close the one that is open: with null, or once more. */
export function pickSection(stage, side, index) {
  for (const one of stage.sides) hoverMap(stage, one, null);
  stage.detail.show(index === pickedOf(stage, side) ? null : index, side);
  for (const one of stage.sides) if (one.map.layout) one.map.showPick(pickedOf(stage, one));
  stage.drawDetail();
}

/** Open a section of a side by its number, if the map has it. */
export function openSection(stage, side, section) {
  const index = side.recording.meta.sections.indexOf(section);
  if (index >= 0 && index !== pickedOf(stage, side)) pickSection(stage, side, index);
}
