// The memory map: sections as blocks, pages as cells, on a canvas.
//
// The first canvas is a pure picture of (recording, tick). What fades or follows the pointer
// (recent changes, pulses, frames) lies in layers above it.

import { hitTest, layoutMap, pixelOfCell } from "./geometry.js";
import { makePaint, paintBlock, paintCell, parseHex } from "./painter.js";
import { makeElement, makeSvg } from "./dom.js";
import { prefersStill } from "./theme.js";

const GLOW_LEVELS = 8;
const GLOW_STEP_MS = 60;
const GLOW_STRONGEST = 200;
const MOST_GLOWING = 4000;
const HOLE_STRIPE = 5;

export class MemoryMap {
  constructor({ onHover, onPick }) {
    this.canvas = makeElement("canvas", "canvas", { "aria-label": "memory map", role: "img" });
    this.glowCanvas = makeElement("canvas", "canvas glow", { "aria-hidden": "true" });
    this.lines = makeSvg("svg", { class: "hotmem-lines", "aria-hidden": "true" });
    this.hoverFrame = makeElement("div", "frame hover", { hidden: true });
    this.pickFrame = makeElement("div", "frame pick", { hidden: true });
    this.layers = makeElement("div", "layers", {}, [this.hoverFrame, this.pickFrame]);
    this.el = makeElement("div", "map", {}, [this.canvas, this.glowCanvas, this.lines, this.layers]);
    // Pixels are written by hand and read by tests: a canvas in main memory is the faster one.
    this.context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.glowContext = this.glowCanvas.getContext("2d", { willReadFrequently: true });
    this.canvas.addEventListener("pointermove", (event) => onHover(this.pointAt(event), event));
    this.canvas.addEventListener("pointerleave", (event) => onHover(null, event));
    this.canvas.addEventListener("click", (event) => onPick(this.pointAt(event)));
    this.glowAge = 0;
  }

  /** Lay out a recording's machine: css width, greatest height, label size; device pixels. */
  resize(recording, { width, height, dpr, text }) {
    this.family = getComputedStyle(this.el).fontFamily;
    this.context.font = `600 ${text}px ${this.family}`;
    const labelWidth = (label) => this.context.measureText(label).width;
    const layout = layoutMap({ meta: recording.meta, width, height, dpr, text, labelWidth });
    if (!layout) return;
    this.layout = layout;
    for (const canvas of [this.canvas, this.glowCanvas]) {
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
    this.drawBorders();
  }

  /** Paint everything: furniture and all cells of `state`. */
  repaint(recording, state, look) {
    const style = getComputedStyle(this.el);
    const ink = (name) => style.getPropertyValue(`--hotmem-${name}`).trim();
    const paper = parseHex(ink("panel"));
    this.paint = makePaint(recording, { ...look, paper, dpr: this.layout.dpr });
    this.drawFurniture(ink);
    this.paintBlocks(state);
    this.flush(this.context, this.image);
    this.clearGlow();
  }

  paintBlocks(state) {
    const { layout, pixels, paint } = this;
    for (const block of layout.blocks) {
      paintBlock(pixels, layout.width, layout, paint, block, state, block.index * layout.cells);
    }
    this.dirty.fill(1);
  }

  /** Paint the cells that a seek has changed. */
  update(changes, state, glow) {
    if (changes.all) {
      this.paintBlocks(state);
      this.clearGlow();
    } else {
      this.paintCells(changes, state, glow && !prefersStill());
    }
    this.flush(this.context, this.image);
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
    const { blocks, blockWidth, blockHeight } = this.layout;
    for (let i = 0; i < blocks.length; i++) {
      if (this.dirty[i] === 0) continue;
      const { x, y } = blocks[i];
      context.putImageData(image, 0, 0, x, y, blockWidth, blockHeight);
    }
    this.dirty.fill(0);
  }

  get glowing() {
    return this.hot.length > 0;
  }

  /** Let recent changes fade for `milliseconds`. */
  fadeGlow(milliseconds) {
    this.glowAge += milliseconds;
    if (!this.glowing || this.glowAge < GLOW_STEP_MS) return;
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

  drawFurniture(ink) {
    const { context: c, layout } = this;
    const { dpr, blockWidth, blockHeight } = layout;
    c.fillStyle = ink("panel");
    c.fillRect(0, 0, layout.width, layout.height);
    const pad = Math.max(dpr, Math.min(4 * dpr, Math.floor((layout.pitch - blockWidth) / 2)));
    for (const band of layout.bands) {
      const labelled = layout.labelled[band.line];
      const top = band.y - layout.numberLine - (labelled ? layout.groupLine : 0);
      const width = band.right - band.x + 2 * pad;
      c.fillStyle = ink(`tint${band.group.nid % 4}`);
      c.fillRect(band.x - pad, top, width, band.y + blockHeight + pad - top);
    }
    c.textBaseline = "alphabetic";
    c.font = this.scaledFont("600");
    c.fillStyle = ink("ink");
    for (const label of layout.labels) {
      const y = label.y - layout.numberLine - 6 * dpr;
      c.fillText(label.group.label, label.x, y);
    }
    c.font = this.scaledFont("400");
    c.fillStyle = ink("muted");
    this.drawNumbers(c);
    c.strokeStyle = ink("frame");
    c.lineWidth = dpr;
    const inset = dpr / 2;
    for (const { x, y } of layout.blocks) {
      c.strokeRect(x - inset, y - inset, blockWidth + dpr, blockHeight + dpr);
    }
    this.drawHoles(c, ink);
  }

  scaledFont(weight) {
    return `${weight} ${this.layout.labelSize}px ${this.family}`;
  }

  drawNumbers(c) {
    const { layout } = this;
    const { dpr } = layout;
    if (layout.numbered) {
      const widest = Math.max(...layout.blocks.map((b) => c.measureText(`§${b.section}`).width));
      const every = widest > layout.pitch - 4 * dpr ? 2 : 1;
      for (const { x, y, section, index } of layout.blocks) {
        if (index % every === 0) c.fillText(`§${section}`, x, y - 5 * dpr);
      }
      return;
    }
    c.textAlign = "right";
    let lowest = -1e9;
    const seen = new Set();
    for (const { x, y, section, line } of layout.blocks) {
      if (seen.has(line)) continue;
      seen.add(line);
      const baseline = y + Math.min(layout.blockHeight / 2 + 5 * dpr, 12 * dpr);
      if (baseline - lowest < 16 * dpr) continue;
      lowest = baseline;
      c.fillText(`§${section}`, Math.min(x, layout.shift) - 7 * dpr, baseline);
    }
    c.textAlign = "left";
  }

  drawHoles(c, ink) {
    const { blockWidth: w, blockHeight: h, dpr } = this.layout;
    for (const { x, y } of this.layout.holes) {
      c.save();
      c.beginPath();
      c.rect(x, y, w, h);
      c.clip();
      c.strokeStyle = ink("line");
      c.lineWidth = dpr;
      for (let d = -h; d < w; d += HOLE_STRIPE * dpr) {
        c.beginPath();
        c.moveTo(x + d, y + h);
        c.lineTo(x + d + h, y);
        c.stroke();
      }
      c.restore();
      c.setLineDash([4 * dpr, 3 * dpr]);
      c.strokeStyle = ink("frame");
      c.strokeRect(x + dpr / 2, y + dpr / 2, w - dpr, h - dpr);
      c.setLineDash([]);
    }
  }

  drawBorders() {
    const { layout, lines } = this;
    lines.replaceChildren();
    lines.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    for (const { index, path } of layout.borders) {
      const { x, y } = layout.blocks[index];
      const points = path.map(([px, py]) => `${x + px},${y + py}`).join(" ");
      for (const part of ["halo", "line"]) {
        lines.append(makeSvg("polyline", { points, class: `hotmem-border-${part}` }));
      }
    }
  }

  pointAt(event) {
    const { dpr } = this.layout;
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.canvas.width) / box.width;
    const y = ((event.clientY - box.top) * this.canvas.height) / box.height;
    return this.layout && dpr ? hitTest(this.layout, x, y) : null;
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
