// What of the map does not change from tick to tick: bands, labels, numbers, plain frames, holes.

import { ownSection } from "./cells.js";

const HOLE_STRIPE = 5;
/** Where a label's letters stand in the room that its line has beside them: 6 of 7 px below. */
const LABEL_DROP = 6 / 7;

const fontOf = (layout, family, weight) => `${weight} ${layout.labelSize}px ${family}`;

/**
 * Draw a map's furniture; `ink(word)` is a colour of the palette.
 *
 * shown: of several boots on one map, how many have booted; what comes later is only announced.
 */
export function drawFurniture(c, layout, { meta, ink, family, shown }) {
  const { dpr, blockWidth, blockHeight } = layout;
  c.fillStyle = ink("panel");
  c.fillRect(0, 0, layout.width, layout.height);
  drawBands(c, layout, ink);
  c.textBaseline = "alphabetic";
  c.font = fontOf(layout, family, "600");
  c.fillStyle = ink("ink");
  if (!layout.terse) for (const label of layout.labels) c.fillText(label.group.label, label.x, labelBaseline(layout, label));
  c.font = fontOf(layout, family, "400");
  c.fillStyle = ink("muted");
  drawNumbers(c, layout, meta);
  c.strokeStyle = ink("frame");
  c.lineWidth = dpr;
  const inset = dpr / 2;
  for (const { x, y } of layout.blocks) {
    c.strokeRect(x - inset, y - inset, blockWidth + dpr, blockHeight + dpr);
  }
  drawHoles(c, layout, ink);
  announceLater(c, layout, { ink, family, shown });
}

const labelBaseline = ({ numberLine, groupLine, labelSize }, { y }) => y - numberLine - (groupLine - labelSize) * LABEL_DROP;

function drawBands(c, layout, ink) {
  const { dpr, blockWidth, blockHeight } = layout;
  const pad = Math.max(dpr, Math.min(4 * dpr, Math.floor((layout.pitch - blockWidth) / 2)));
  for (const band of layout.bands) {
    const labelled = layout.labelled[band.line];
    const top = band.y - layout.numberLine - (labelled ? layout.groupLine : 0);
    const width = band.right - band.x + 2 * pad;
    c.fillStyle = ink(`tint${band.group.nid % 4}`);
    c.fillRect(band.x - pad, top, width, band.y + blockHeight + pad - top);
    if (!layout.terse || band.group.zone?.zone !== "Movable") continue;
    c.fillStyle = ink("ink");
    c.fillRect(band.x, band.y + blockHeight + Math.ceil(dpr), band.right - band.x, Math.round(1.5 * dpr));
  }
}

function drawNumbers(c, layout, meta) {
  const { dpr } = layout;
  const name = ({ section, group }) => (layout.terse ? `n${group.nid}` : `§${ownSection(meta, section)}`);
  if (layout.numbered) {
    const widest = Math.max(...layout.blocks.map((block) => c.measureText(name(block)).width));
    const every = widest > layout.pitch - 4 * dpr ? 2 : 1;
    for (const block of layout.blocks) {
      if (block.index % every === 0) c.fillText(name(block), block.x, block.y - 5 * dpr);
    }
    return;
  }
  c.textAlign = "right";
  let lowest = -1e9;
  const seen = new Set();
  for (const block of layout.blocks) {
    if (seen.has(block.line)) continue;
    seen.add(block.line);
    const baseline = block.y + Math.min(layout.blockHeight / 2 + 5 * dpr, 12 * dpr);
    if (baseline - lowest < 16 * dpr) continue;
    lowest = baseline;
    c.fillText(name(block), Math.min(block.x, layout.shift) - 7 * dpr, baseline);
  }
  c.textAlign = "left";
}

/** Fill an area with the thin stripes that stand for no memory. */
export function drawStripes(c, x, y, w, h, { colour, spacing, width, rising = true }) {
  c.save();
  c.beginPath();
  c.rect(x, y, w, h);
  c.clip();
  c.strokeStyle = colour;
  c.lineWidth = width;
  for (let d = -h; d < w; d += spacing) {
    c.beginPath();
    c.moveTo(x + d, rising ? y + h : y);
    c.lineTo(x + d + h, rising ? y : y + h);
    c.stroke();
  }
  c.restore();
}

function drawHoles(c, layout, ink) {
  const { blockWidth: w, blockHeight: h, dpr } = layout;
  for (const { x, y } of layout.holes) {
    drawStripes(c, x, y, w, h, { colour: ink("line"), spacing: HOLE_STRIPE * dpr, width: dpr });
    c.setLineDash([4 * dpr, 3 * dpr]);
    c.strokeStyle = ink("frame");
    c.strokeRect(x + dpr / 2, y + dpr / 2, w - dpr, h - dpr);
    c.setLineDash([]);
  }
}

/** Where the boots begin that are still to come; the height of the map if all are shown. */
export const curtainOf = (layout, shown) => layout.bootTops[shown] ?? layout.height;

/** Frames with room for the boots that are still to come, in device pixels: [{x, y, w, h}]. Pure. */
export function placesOfLater({ bands, bootTops, blockHeight, shift, dpr }, shown) {
  const right = Math.max(...bands.map((band) => band.right));
  return bootTops.slice(shown).map((top, i) => {
    const own = bands.filter(({ group }) => group.boot === shown + i);
    const bottom = Math.max(...own.map((band) => band.y)) + blockHeight;
    return { x: shift, y: top + 2 * dpr, w: right - shift, h: bottom - top - 2 * dpr };
  });
}

function announceLater(c, layout, { ink, family, shown }) {
  const { dpr } = layout;
  const curtain = curtainOf(layout, shown);
  c.fillStyle = ink("panel");
  c.fillRect(0, curtain, layout.width, layout.height - curtain);
  c.font = fontOf(layout, family, "400");
  c.fillStyle = ink("muted");
  c.strokeStyle = ink("frame");
  c.lineWidth = dpr;
  c.setLineDash([5 * dpr, 4 * dpr]);
  c.textAlign = "center";
  for (const { x, y, w, h } of placesOfLater(layout, shown)) {
    c.strokeRect(x + dpr / 2, y + dpr / 2, w - dpr, h - dpr);
    c.fillText("another boot, later", x + w / 2, y + h / 2 + layout.labelSize / 3);
  }
  c.textAlign = "left";
  c.setLineDash([]);
}
