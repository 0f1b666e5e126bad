// The memory map: sections as blocks, pages as cells, on a canvas.
//
// The first canvas is a pure picture of (recording, tick). What fades, flies or follows the pointer
// (recent changes, pages that move, pulses, frames of hovering) lies in layers above it.

import { hitTest, layoutMap, pixelOfCell } from "./geometry.js";
import { colourOfKind, makePaint, paintBlock, paintCell, parseHex } from "./painter.js";
import { makeElement, makeSvg } from "./dom.js";
import { FlightLayer } from "./flying.js";
import { SectionFrames } from "./frames.js";
import { curtainOf, drawFurniture } from "./furniture.js";
import { prefersStill } from "./theme.js";

const GLOW_LEVELS = 8;
const GLOW_STEP_MS = 60;
const GLOW_STRONGEST = 200;
const MOST_GLOWING = 4000;

export class MemoryMap {
  constructor({ onHover, onPick }) {
    this.canvas = makeElement("canvas", "canvas", { "aria-label": "memory map", role: "img" });
    this.glowCanvas = makeElement("canvas", "canvas glow", { "aria-hidden": "true" });
    this.lines = makeSvg("svg", { class: "hotmem-lines", "aria-hidden": "true" });
    this.hoverFrame = makeElement("div", "frame hover", { hidden: true });
    this.pickFrame = makeElement("div", "frame pick", { hidden: true });
    this.layers = makeElement("div", "layers", {}, [this.hoverFrame, this.pickFrame]);
    this.flights = new FlightLayer(this.lines);
    const over = [this.glowCanvas, this.lines, this.flights.canvas, this.layers];
    this.el = makeElement("div", "map", {}, [this.canvas, ...over]);
    // Pixels are written by hand and read by tests: a canvas in main memory is the faster one.
    this.context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.glowContext = this.glowCanvas.getContext("2d", { willReadFrequently: true });
    this.frames = new SectionFrames(this.context);
    this.canvas.addEventListener("pointermove", (event) => onHover(this.pointAt(event), event));
    this.canvas.addEventListener("pointerleave", (event) => onHover(null, event));
    this.canvas.addEventListener("click", (event) => onPick(this.pointAt(event)));
    this.glowAge = 0;
  }

  /** Lay out a recording's machine: css width, greatest height, label size; device pixels; see geometry.js. */
  resize(recording, { width, height, dpr, text, terse = false }) {
    this.family = getComputedStyle(this.el).fontFamily;
    this.context.font = `600 ${text}px ${this.family}`;
    const labelWidth = (label) => this.context.measureText(label).width;
    const layout = layoutMap({ meta: recording.meta, width, height, dpr, text, terse, labelWidth });
    if (!layout) return;
    this.layout = layout;
    for (const canvas of [this.canvas, this.glowCanvas, this.flights.canvas]) {
      canvas.width = layout.width;
      canvas.height = layout.height;
      canvas.style.width = `${layout.width / dpr}px`;
      canvas.style.height = `${layout.height / dpr}px`;
    }
    this.el.style.height = `${layout.height / dpr}px`;
    this.image = new ImageData(layout.width, layout.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.glowImage = new ImageData(layout.width, layout.height);
    this.glowPixels = new Uint32Array(this.glowImage.data.buffer);
    this.heat = new Uint8Array(recording.cells);
    this.hot = [];
    this.dirty = new Uint8Array(layout.blocks.length);
  }

  /**
   * Paint everything: furniture, all cells, the frames of sections.
   *
   * now: {kinds, states, boots} of a tick: kinds of cells, states of sections (or null), boots so far.
   */
  repaint(recording, now, look) {
    const style = getComputedStyle(this.el);
    const ink = (name) => style.getPropertyValue(`--hotmem-${name}`).trim();
    const paper = parseHex(ink("panel"));
    const { layout, family } = this;
    const { theme } = look;
    Object.assign(this, { recording, look, ink, shown: now.boots });
    this.paint = makePaint(recording, { ...look, paper, dpr: layout.dpr });
    drawFurniture(this.context, layout, { meta: recording.meta, ink, family, shown: now.boots });
    this.curtain = curtainOf(layout, now.boots);
    this.drawBorders();
    this.frames.load(recording, layout, { theme, ink, family });
    this.paintBlocks(now.kinds);
    this.flushMap(now.states);
    this.clearGlow();
  }

  paintBlocks(state) {
    const { layout, pixels, paint } = this;
    for (const block of layout.blocks) {
      paintBlock(pixels, layout.width, layout, paint, block, state, block.index * layout.cells);
    }
    this.dirty.fill(1);
  }

  /** Paint the cells and frames that a seek has changed; `now` as in repaint. */
  update(changes, now, glow) {
    if (now.boots !== this.shown) {
      this.repaint(this.recording, now, this.look);
      return;
    }
    if (changes.all) {
      this.paintBlocks(now.kinds);
      this.clearGlow();
    } else {
      this.paintCells(changes, now.kinds, glow && !prefersStill());
    }
    this.flushMap(now.states);
  }

  /** What a screen reader says of the map. */
  setName(name) {
    if (this.canvas.getAttribute("aria-label") !== name) this.canvas.setAttribute("aria-label", name);
  }

  /** Outline the pages that move at this tick, and let `flights` fly for `ms`. */
  showMoves(moves, flights, { kinds, ms }) {
    const { ink } = this;
    this.flights.mark(this.recording.meta, moves);
    const paint = ({ to }) => colourOfKind(this.paint, kinds[to]);
    this.flights.launch(flights, { ms, paint, ink: ink("ink"), paper: ink("panel") });
  }

  paintCells(changes, state, glow) {
    const { layout, pixels, paint, dirty, heat, hot } = this;
    const { columns, cells, blocks, xEdges, yEdges, grid, width } = layout;
    for (let i = 0; i < changes.count; i++) {
      const cell = changes.list[i];
      const index = (cell / cells) | 0;
      const inside = cell - index * cells;
      const { x, y } = blocks[index];
      const column = inside % columns;
      const row = (inside / columns) | 0;
      const left = x + xEdges[column];
      const right = x + xEdges[column + 1];
      paintCell(pixels, width, grid, paint, left, y + yEdges[row], right, y + yEdges[row + 1], state[cell]);
      dirty[index] = 1;
      if (glow) {
        if (heat[cell] === 0 && hot.length >= MOST_GLOWING) continue;
        if (heat[cell] === 0) hot.push(cell);
        heat[cell] = GLOW_LEVELS;
      }
    }
    if (glow) this.glowAge = GLOW_STEP_MS;
  }

  flush(context, image) {
    for (let i = 0; i < this.dirty.length; i++) if (this.dirty[i]) this.putBlock(context, image, i);
    this.dirty.fill(0);
  }

  /** Bring changed blocks onto the canvas, each in the frame of its state. */
  flushMap(states) {
    const { frames, dirty, context, image } = this;
    frames.states = states;
    for (let i = 0; i < dirty.length; i++) {
      const stale = frames.isStale(i);
      if (!stale && dirty[i] === 0) continue;
      if (this.layout.blocks[i].y >= this.curtain) continue;
      if (stale) frames.clear(i);
      this.putBlock(context, image, i);
      frames.draw(i);
    }
    dirty.fill(0);
  }

  putBlock(context, image, i) {
    const { blocks, blockWidth, blockHeight } = this.layout;
    const { x, y } = blocks[i];
    context.putImageData(image, 0, 0, x, y, blockWidth, blockHeight);
  }

  /** Whether something fades or flies. */
  get moving() {
    return this.hot.length > 0 || this.flights.flying;
  }

  /** Let `milliseconds` pass for what fades and flies. */
  advance(milliseconds) {
    this.fadeGlow(milliseconds);
    this.flights.advance(milliseconds);
  }

  /** Let recent changes fade for `milliseconds`. */
  fadeGlow(milliseconds) {
    this.glowAge += milliseconds;
    if (!this.hot.length || this.glowAge < GLOW_STEP_MS) return;
    this.glowAge = 0;
    const { layout, heat, glowPixels } = this;
    const { cells, width } = layout;
    let kept = 0;
    for (const cell of this.hot) {
      heat[cell] -= 1;
      const alpha = Math.round(GLOW_STRONGEST * (heat[cell] / GLOW_LEVELS) ** 1.5);
      const pixel = alpha === 0 ? 0 : ((alpha << 24) | 0xe8f8ff) >>> 0;
      const { x, y, right, bottom } = pixelOfCell(layout, cell);
      for (let py = y; py < bottom; py++) glowPixels.fill(pixel, py * width + x, py * width + right);
      this.dirty[(cell / cells) | 0] = 1;
      if (heat[cell] > 0) this.hot[kept++] = cell;
    }
    this.hot.length = kept;
    this.flush(this.glowContext, this.glowImage);
    this.glowCanvas.classList.toggle("hotmem-lit", kept > 0);
  }

  clearGlow() {
    this.hot = [];
    this.heat.fill(0);
    this.glowPixels.fill(0);
    this.glowContext.clearRect(0, 0, this.glowCanvas.width, this.glowCanvas.height);
    this.glowCanvas.classList.remove("hotmem-lit");
  }

  drawBorders() {
    const { layout, lines } = this;
    lines.replaceChildren();
    lines.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    for (const { index, path } of layout.borders) {
      const { x, y } = layout.blocks[index];
      if (y >= this.curtain) continue;
      const points = path.map(([px, py]) => `${x + px},${y + py}`).join(" ");
      for (const part of ["halo", "line"]) {
        lines.append(makeSvg("polyline", { points, class: `hotmem-border-${part}` }));
      }
    }
    this.flights.resize(layout);
  }

  pointAt(event) {
    const { dpr } = this.layout;
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.canvas.width) / box.width;
    const y = ((event.clientY - box.top) * this.canvas.height) / box.height;
    return this.layout && dpr && y < this.curtain ? hitTest(this.layout, x, y) : null;
  }

  placeFrame(frame, spot, grow) {
    const { dpr, blockWidth, blockHeight } = this.layout;
    frame.hidden = !spot;
    if (!spot) return;
    frame.style.left = `${spot.x / dpr - grow}px`;
    frame.style.top = `${spot.y / dpr - grow}px`;
    frame.style.width = `${blockWidth / dpr + 2 * grow}px`;
    frame.style.height = `${blockHeight / dpr + 2 * grow}px`;
  }

  showHover(index) {
    this.placeFrame(this.hoverFrame, index === null ? null : this.layout.blocks[index], 2);
  }

  showPick(index) {
    this.placeFrame(this.pickFrame, index === null ? null : this.layout.blocks[index], 3);
  }

  /** Let an event's page pulse once. */
  pulse(cell, colour) {
    const { dpr } = this.layout;
    const { x, y, right, bottom } = pixelOfCell(this.layout, cell);
    const ring = makeElement("div", "pulse");
    ring.style.left = `${(x + right) / 2 / dpr}px`;
    ring.style.top = `${(y + bottom) / 2 / dpr}px`;
    ring.style.color = colour;
    ring.addEventListener("animationend", () => ring.remove());
    for (const old of this.layers.querySelectorAll(".hotmem-pulse")) old.remove();
    this.layers.append(ring);
  }

  clearPulses() {
    for (const old of this.layers.querySelectorAll(".hotmem-pulse")) old.remove();
  }
}
