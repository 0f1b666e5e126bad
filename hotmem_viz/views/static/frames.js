// The frames of sections: what state a section is in shows around its block on the map.
//
// A frame lies in the gap between blocks as far as that reaches, and over the cells' edge where it
// does not. Sections whose frames belong to no zone are veiled: none of their pages is in use.

import { drawStripes } from "./furniture.js";
import { mixColours, parseHex } from "./painter.js";

const FRAME = 3;
const THIN_FRAME = 2;
const THIN_BELOW = 18;
const DASHES = { solid: [], double: [], dashed: [7, 4], dotted: [2, 2], dashdot: [9, 3, 2, 3] };
const NARROW_STRIPES = 5;
const WIDE_STRIPES = 11;
const SOFT = 0.45;
const BADGE_ROOM = 1.9;

/** How thick a frame is, and how much of it lies outside the block: device pixels. Pure. */
export function frameSize({ blockWidth, blockHeight, gap, dpr }) {
  const thin = Math.min(blockWidth, blockHeight) < THIN_BELOW * dpr;
  const thick = Math.round((thin ? THIN_FRAME : FRAME) * dpr);
  return { thick, outside: Math.min(thick, Math.floor(gap / 2)) };
}

/**
 * What a state is called in a block at (0, 0), and where: {text, x, y, width, height}, or null for no room. Pure.
 *
 * Its word if that fits, else its letter: in the middle of a veil, which hides no page; or beside the
 * section's number, which takes `number` pixels of the line above; else in the corner.
 */
export function badgeSpot({ blockWidth, blockHeight, numberLine, labelSize }, look, number, widthOf) {
  const height = Math.round(labelSize * 1.08);
  const least = Math.round(labelSize * 1.1);
  for (const text of [look.label, look.short]) {
    const width = Math.max(least, Math.ceil(widthOf(text) + labelSize * 0.5));
    if (look.veil !== "none" && blockWidth >= width + 4 && blockHeight >= height + 4) {
      return { text, x: (blockWidth - width) >> 1, y: (blockHeight - height) >> 1, width, height };
    }
    if (numberLine && number + width + 4 <= blockWidth) {
      return { text, x: blockWidth - width, y: -Math.round(numberLine * 0.16) - height, width, height };
    }
  }
  const roomy = blockWidth >= BADGE_ROOM * least && blockHeight >= BADGE_ROOM * height;
  return roomy ? { text: look.short, x: blockWidth - least, y: 0, width: least, height } : null;
}

export class SectionFrames {
  constructor(context) {
    this.context = context;
    this.drawn = null;
  }

  /** Take a map's new furniture, which has just been drawn; `look` has theme, ink and family. */
  load(recording, layout, { theme, ink, family }) {
    Object.assign(this, { layout, theme, ink, family, looks: recording.sectionStates });
    this.drawn = null;
    this.states = null;
    if (!recording.arrays["sections.keys"]) return;
    this.drawn = new Int16Array(layout.blocks.length).fill(-1);
    this.ground = this.context.getImageData(0, 0, layout.width, layout.height);
    this.context.font = this.font;
    this.size = frameSize(layout);
    this.number = this.context.measureText(`§${layout.blocks.at(-1).section}`).width;
  }

  get font() {
    return `700 ${this.layout.labelSize}px ${this.family}`;
  }

  /** Whether block `i` must be painted anew, whatever its cells. */
  isStale(i) {
    return this.drawn !== null && this.states !== null && this.drawn[i] !== this.states[i];
  }

  /** Put back what a frame has covered around block `i`. */
  clear(i) {
    if (this.drawn[i] < 0) return;
    const { ground, layout, size } = this;
    const { x, y } = layout.blocks[i];
    const above = Math.max(size.outside, layout.numberLine);
    const width = layout.blockWidth + 2 * size.outside;
    const height = layout.blockHeight + above + size.outside;
    this.context.putImageData(ground, 0, 0, x - size.outside, y - above, width, height);
  }

  /** Draw the frame of block `i`, whose cells have just been painted. */
  draw(i) {
    if (this.drawn === null || this.states === null) return;
    const look = this.looks[this.states[i]];
    this.drawn[i] = this.states[i];
    if (!look || look.line === "none") return;
    const { context: c, layout } = this;
    if (look.veil !== "none") this.drawVeil(c, layout.blocks[i], look);
    this.drawLine(c, layout.blocks[i], look);
    c.font = this.font;
    const spot = badgeSpot(layout, look, this.number, (text) => c.measureText(text).width);
    if (spot) this.drawBadge(c, layout.blocks[i], look, spot);
  }

  drawVeil(c, { x, y }, { veil, [this.theme]: colour }) {
    const { blockWidth: w, blockHeight: h, dpr } = this.layout;
    const ground = this.ink("sunken");
    const soft = `rgb(${mixColours(parseHex(ground), parseHex(colour), SOFT).join(" ")})`;
    c.fillStyle = ground;
    c.fillRect(x, y, w, h);
    if (veil === "stripes") {
      drawStripes(c, x, y, w, h, { colour: this.ink("line"), spacing: NARROW_STRIPES * dpr, width: dpr });
    } else if (veil === "cross") {
      c.strokeStyle = soft;
      c.lineWidth = 2 * dpr;
      c.beginPath();
      for (const [from, to] of [[0, h], [h, 0]]) {
        c.moveTo(x, y + from);
        c.lineTo(x + w, y + to);
      }
      c.stroke();
    } else {
      const rising = veil === "rising";
      drawStripes(c, x, y, w, h, { colour: soft, spacing: WIDE_STRIPES * dpr, width: 2 * dpr, rising });
    }
  }

  drawLine(c, { x, y }, { line, [this.theme]: colour }) {
    const { layout, size } = this;
    const { blockWidth, blockHeight, dpr } = layout;
    const inset = size.thick / 2 - size.outside;
    const stroke = (style, width, dash) => {
      c.strokeStyle = style;
      c.lineWidth = width;
      c.setLineDash(dash.map((length) => length * dpr));
      c.strokeRect(x + inset, y + inset, blockWidth - 2 * inset, blockHeight - 2 * inset);
    };
    stroke(this.ink("panel"), size.thick, []);
    stroke(colour, size.thick, DASHES[line]);
    if (line === "double") stroke(this.ink("panel"), Math.max(1, Math.round(size.thick / 3)), []);
    c.setLineDash([]);
  }

  drawBadge(c, block, { [this.theme]: colour }, { text, x, y, width, height }) {
    const left = block.x + x;
    const top = block.y + y;
    c.fillStyle = colour;
    c.fillRect(left, top, width, height);
    c.fillStyle = this.ink("panel");
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.fillText(text, left + width / 2, top + height * 0.54);
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
  }
}
