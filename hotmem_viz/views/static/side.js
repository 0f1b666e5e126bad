// One recording on the stage: its name, its map, its caption, and the tick where it stands.

import { CaptionPanel } from "./caption.js";
import { cellOfPfn } from "./cells.js";
import { formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { MemoryMap } from "./map.js";
import { mapNote } from "./playback.js";
import { Scene } from "./scene.js";

const SIDE_LETTERS = "ABCDEF";

/** A side's letter in its colour. */
export function makeChip(index) {
  return makeElement("span", `side-chip side${index}`, { "aria-hidden": "true" }, SIDE_LETTERS[index]);
}

export class Side {
  constructor(index, { onHover, onPick }) {
    this.index = index;
    this.letter = SIDE_LETTERS[index];
    this.map = new MemoryMap({
      onHover: (hit, event) => onHover(this, hit, event),
      onPick: (hit) => onPick(this, hit?.index ?? null),
    });
    this.caption = new CaptionPanel(makeChip(index));
    this.name = makeElement("strong", "run-name");
    this.place = makeElement("span", "run-place");
    this.head = makeElement("header", "run-head", {}, [makeChip(index), this.name, this.place]);
    this.note = makeElement("p", "map-note");
    this.mapPanel = makeElement("section", "panel map-panel", {}, [this.map.el, this.note]);
    this.el = makeElement("div", "run", {}, [this.head, this.mapPanel]);
  }

  /** Take a recording; `title` is what it is called where there are several, else "". */
  load(recording, title) {
    this.recording = recording;
    this.scene = new Scene(recording);
    this.caption.load(recording);
    setText(this.name, title);
    const whose = title ? ` of ${this.letter}, ${title}` : "";
    this.map.canvas.setAttribute("aria-label", `memory map${whose}`);
    this.caption.el.setAttribute("aria-label", `caption${whose}`);
  }

  /** Whether it must be said of which tick the map is. */
  get hasNote() {
    return mapNote(this.recording, 0) !== "";
  }

  /** Go to a tick, before anything of the recording is painted. */
  enter(tick) {
    this.tick = tick;
    this.scene.seek(tick);
  }

  /** Go to a tick and paint what differs; returns the mark events met on the way. */
  seek(tick, { glow, jumped }) {
    const before = this.tick;
    this.map.clearPulses();
    if (tick === before) return [];
    this.enter(tick);
    if (!this.map.layout) return [];
    this.map.update(this.scene.changes, this.scene.kinds, glow);
    return this.scene.marksMet(before, tick, jumped);
  }

  repaint(look, picked) {
    this.map.repaint(this.recording, this.scene.kinds, look);
    this.map.showPick(picked);
  }

  /** Let the page of an event pulse once. */
  pulse({ pfn }, colour) {
    const cell = pfn >= 0 ? cellOfPfn(this.recording.meta, pfn) : -1;
    if (cell >= 0 && this.map.layout) this.map.pulse(cell, colour);
  }

  /** ended: where this side has ended while another goes on, in words, or "". */
  draw(theme, ended) {
    this.caption.draw(this.tick, theme);
    setText(this.note, mapNote(this.recording, this.tick));
    const last = this.recording.ticks - 1;
    this.el.dataset.tick = String(this.tick);
    // A run of a single tick has not ended: it never went on.
    const over = last > 0 ? ended : "";
    this.el.classList.toggle("hotmem-ended", over !== "");
    setText(this.place, over || `tick ${formatCount(this.tick)} / ${formatCount(last)}`);
  }
}
