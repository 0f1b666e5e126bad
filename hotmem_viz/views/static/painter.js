// Kinds of cells -> pixels. Pure: works on arrays, so that node can test it.

const TILE = 8;
const TILE_CELLS = TILE * TILE;
const LUT_ROW = 4;

/** Where a hatch darkens: (x, y) in a tile of 8 x 8. */
const HATCHES = {
  none: () => false,
  diag: (x, y) => (x + y) % 4 === 0,
  back: (x, y) => (x - y + TILE) % 4 === 0,
  cross: (x, y) => (x + y) % 4 === 0 || (x - y + TILE) % 4 === 0,
  horizontal: (x, y) => y % 4 === 0,
  vertical: (x) => x % 3 === 0,
  dots: (x, y) => x % 4 === 1 && y % 4 === 1,
  checker: (x, y) => (x >> 1) % 2 === (y >> 1) % 2,
  grid: (x, y) => x % 4 === 0 || y % 4 === 0,
};

export function parseHex(text) {
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/** Relative luminance, 0 black to 1 white. */
export function luminance([r, g, b]) {
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

export function mixColours(a, b, share) {
  return a.map((v, i) => Math.round(v + (b[i] - v) * share));
}

const packPixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** The colour of a hatch's lines on `rgb`: darker on light, lighter on dark. */
export function hatchColour(rgb) {
  return luminance(rgb) > 0.2 ? mixColours(rgb, [0, 0, 0], 0.24) : mixColours(rgb, [255, 255, 255], 0.3);
}

function styleOfKind(recording, kind, mode) {
  if (mode !== "movability" || kind.name === "free" || kind.name === "hole") return kind;
  return recording.movabilities.find((row) => row.name === kind.movability);
}

/**
 * Colours and hatch tiles of all kinds: what `paintCells` looks up.
 *
 * mode: "kind" or "movability". highlight: a kind's or movability's name, or null; all others
 * fade towards `paper` (an rgb).
 */
export function makePaint(recording, { theme, mode, highlight, paper, dpr }) {
  const n = recording.kinds.length;
  const lut = new Uint32Array(n * LUT_ROW);
  const tiles = new Uint8Array(n * TILE_CELLS);
  for (const kind of recording.kinds) {
    const style = styleOfKind(recording, kind, mode);
    let rgb = parseHex(style[theme]);
    const lit = !highlight || highlight === kind.name || (mode === "movability" && highlight === kind.movability);
    const quiet = !lit && kind.name !== "hole";
    if (quiet) rgb = mixColours(rgb, paper, 0.84);
    const line = quiet ? mixColours(hatchColour(rgb), rgb, 0.7) : hatchColour(rgb);
    lut[kind.id * LUT_ROW] = packPixel(rgb);
    lut[kind.id * LUT_ROW + 1] = packPixel(line);
    const hatched = HATCHES[style.hatch] ?? HATCHES.none;
    for (let i = 0; i < TILE_CELLS; i++) {
      tiles[kind.id * TILE_CELLS + i] = hatched(i % TILE, Math.floor(i / TILE)) ? 1 : 0;
    }
  }
  return { lut, tiles, shift: dpr >= 1.75 ? 1 : 0, ground: packPixel(paper) };
}

/** The CSS colour of a kind, as `makePaint` has it. */
export function colourOfKind({ lut }, kind) {
  const pixel = lut[kind * LUT_ROW];
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/** Paint the pixels from (x, y) up to (right, bottom); pixels: an image `stride` wide. */
export function paintCell(pixels, stride, grid, paint, x, y, right, bottom, kind) {
  const { lut, tiles, shift, ground } = paint;
  const base = kind * LUT_ROW;
  const tile = kind * TILE_CELLS;
  const inkRight = right - grid;
  const inkBottom = bottom - grid;
  for (let py = y; py < bottom; py++) {
    const rowTile = tile + (((py >> shift) & 7) << 3);
    let p = py * stride + x;
    for (let px = x; px < right; px++, p++) {
      const ink = px < inkRight && py < inkBottom;
      pixels[p] = ink ? lut[base + tiles[rowTile + ((px >> shift) & 7)]] : ground;
    }
  }
}

/** Paint the cells of one block at (x, y) from `kinds`, starting at `first`. */
export function paintBlock(pixels, stride, layout, paint, { x, y }, kinds, first) {
  const { columns, cells, grid, xEdges, yEdges } = layout;
  for (let i = 0; i < cells; i++) {
    const column = i % columns;
    const row = (i / columns) | 0;
    const left = x + xEdges[column];
    const top = y + yEdges[row];
    const right = x + xEdges[column + 1];
    paintCell(pixels, stride, grid, paint, left, top, right, y + yEdges[row + 1], kinds[first + i]);
  }
}

/** A CSS background that shows a kind's colour and hatch, for legends. */
export function swatchStyle(style, theme) {
  const rgb = parseHex(style[theme]);
  const line = `rgb(${hatchColour(rgb).join(" ")})`;
  const stripes = (angle) =>
    `repeating-linear-gradient(${angle}deg, ${line} 0 1.5px, transparent 1.5px 4.5px)`;
  const images = {
    diag: [stripes(-45)],
    back: [stripes(45)],
    cross: [stripes(45), stripes(-45)],
    horizontal: [stripes(0)],
    vertical: [stripes(90)],
    grid: [stripes(0), stripes(90)],
    dots: [`radial-gradient(${line} 1.2px, transparent 1.4px) 0 0 / 5px 5px`],
    checker: [`repeating-conic-gradient(${line} 0 25%, transparent 0 50%) 0 0 / 6px 6px`],
  };
  return [...(images[style.hatch] ?? []), `linear-gradient(${style[theme]}, ${style[theme]})`].join(", ");
}
