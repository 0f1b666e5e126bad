// One recording on the stage: its name, its map, its caption, and the tick where it stands.

import { CaptionPanel } from "./caption.js";
import { cellOfPfn } from "./cells.js";
import { movesAt, pagesMoved, planFlights } from "./flights.js";
import { formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { MemoryMap } from "./map.js";
import { lastBefore, mapNote } from "./playback.js";
import { Scene } from "./scene.js";
import { statesInWords } from "./states.js";
import { prefersStill } from "./theme.js";

const SIDE_LETTERS = "ABCDEF";
const MOST_FLIGHTS = 64;

/** A side's letter in its colour. */
export function makeChip(index) {
  return makeElement("span", `side-chip side${index}`, { "aria-hidden": "true" }, SIDE_LETTERS[index]);
}

export class Side {
  constructor(index, { onHover, onPick, onFocus }) {
    this.index = index;
    this.letter = SIDE_LETTERS[index];
    this.map = new MemoryMap({
      onHover: (hit, event) => onHover(this, hit, event),
      onPick: (hit) => onPick(this, hit?.index ?? null),
    });
    this.caption = new CaptionPanel(makeChip(index));
    this.name = makeElement("strong", "run-name");
    this.place = makeElement("span", "run-place");
    this.head = makeElement("header", "run-head", { onclick: () => onFocus(this) }, [makeChip(index), this.name, this.place]);
    this.note = makeElement("p", "map-note");
    this.lineTitle = makeElement("span", "line-title");
    this.lineText = makeElement("span");
    this.line = makeElement("p", "run-line", {}, [this.lineTitle, this.lineText]);
    this.mapPanel = makeElement("section", "panel map-panel", {}, [this.map.el, this.note, this.line]);
    this.el = makeElement("div", `run side${index}`, {}, [this.head, this.mapPanel]);
  }

  /** Whether words elsewhere are about this side; null where they are about all sides. */
  showFocus(focused) {
    this.el.classList.toggle("hotmem-focused", focused === true);
    if (focused === null) this.el.removeAttribute("aria-current");
    else this.el.setAttribute("aria-current", String(focused));
  }

  /** Take a recording; `title` is what it is called where there are several, else "". */
  load(recording, title) {
    this.recording = recording;
    this.scene = new Scene(recording);
    this.caption.load(recording);
    setText(this.name, title);
    const whose = title ? ` of ${this.letter}, ${title}` : "";
    this.mapName = `memory map${whose}`;
    this.moved = null;
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

  /** What the map shows at the tick where it stands: see map.js. */
  get now() {
    const { recording, scene, tick } = this;
    const boots = recording.meta.boots ? recording.counter("boots", tick) : 1;
    return { kinds: scene.kinds, states: scene.states, boots };
  }

  /**
   * Go to a tick and paint what differs; returns the mark events met on the way.
   *
   * flightMs: how long pages may fly if this is one step; 0: not at all.
   */
  seek(tick, { glow, jumped, flightMs }) {
    const before = this.tick;
    this.map.clearPulses();
    if (tick === before) return [];
    this.enter(tick);
    if (!this.map.layout) return [];
    this.map.update(this.scene.changes, this.now, glow);
    this.fly(before, Math.abs(tick - before) === 1 && !prefersStill() ? flightMs : 0);
    return this.scene.marksMet(before, tick, jumped);
  }

  repaint(look, picked) {
    this.map.repaint(this.recording, this.now, look);
    this.map.showPick(picked);
    this.fly(this.tick, 0);
  }

  /** Outline what moves at this tick; if `ms`, let it fly, or fly back what moved in the tick before. */
  fly(before, ms) {
    const { recording, tick } = this;
    const back = tick < before && ms > 0;
    const moves = movesAt(recording, tick);
    const flown = back ? movesAt(recording, before) : moves;
    const flights = ms ? planFlights(recording.meta, flown, { most: MOST_FLIGHTS, back }) : [];
    this.moved = { pages: pagesMoved(flown), drawn: flights.length, back };
    this.map.showMoves(moves, flights, { kinds: this.scene.kinds, ms });
  }

  /** Let the page of an event pulse once. */
  pulse({ pfn }, colour) {
    const cell = pfn >= 0 ? cellOfPfn(this.recording.meta, pfn) : -1;
    if (cell >= 0 && this.map.layout) this.map.pulse(cell, colour);
  }

  /** The caption in one line, for the foot of a small map; a title that begins with our name goes on without it. */
  drawLine(caption) {
    const title = caption?.title ?? "";
    const own = `${this.name.textContent}: `;
    setText(this.lineTitle, title.startsWith(own) ? title.slice(own.length) : title);
    setText(this.lineText, caption?.text ?? "");
  }

  /** ended: where this side has ended while another goes on, in words, or "". */
  draw(theme, ended) {
    this.caption.draw(this.tick, theme);
    this.drawLine(lastBefore(this.recording.meta.captions, this.tick));
    setText(this.note, mapNote(this.recording, this.tick));
    const last = this.recording.ticks - 1;
    this.el.dataset.tick = String(this.tick);
    const states = statesInWords(this.recording, this.scene.states, this.now.boots);
    this.map.setName(states ? `${this.mapName}: ${states}` : this.mapName);
    // A run of a single tick has not ended: it never went on.
    const over = last > 0 ? ended : "";
    this.el.classList.toggle("hotmem-ended", over !== "");
    setText(this.place, over || `tick ${formatCount(this.tick)} / ${formatCount(last)}`);
  }
}
