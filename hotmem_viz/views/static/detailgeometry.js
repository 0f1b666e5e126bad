// Where the pages of one section stand, shown one by one. Pure.

/** Columns, rows and cell size for the pages of one section in `width` x `height`. */
export function layoutDetail(cells, width, height, minimum = 17) {
  let best = null;
  for (let columns = 8; columns <= Math.max(8, cells); columns *= 2) {
    const rows = Math.ceil(cells / columns);
    const w = Math.min(44, Math.floor(width / columns));
    const h = Math.min(44, Math.floor(height / rows));
    const size = Math.min(w, h);
    if (w < 1) break;
    const side = Math.min(w, Math.max(h, minimum));
    const candidate = { columns, rows, w: Math.min(w, side * 2), h: Math.max(1, Math.min(h, w * 2)), size };
    if (!best || candidate.size > best.size) best = candidate;
  }
  const { columns, rows } = best;
  const w = Math.max(1, best.w);
  return { columns, rows, w, h: Math.max(1, best.h), width: columns * w, height: rows * Math.max(1, best.h) };
}
