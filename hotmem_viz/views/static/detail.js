// One section enlarged: its pages with glyphs, its pageblocks with their types.

import { ownPfn, ownSection } from "./cells.js";
import { formatCount } from "./format.js";
import { layoutDetail } from "./detailgeometry.js";
import { partEdges } from "./geometry.js";
import { makeButton, makeElement, setText } from "./dom.js";
import { luminance, makePaint, paintBlock, parseHex } from "./painter.js";
import { lastBefore } from "./playback.js";
import { describePage, stateOf, typeName } from "./tooltip.js";

const TYPE_COLUMN = 128;
const GLYPH_WIDTH = 12;
const GLYPH_HEIGHT = 15;
const LABEL_LINE = 17;

/** The pages of section `index` at `tick`: kinds, owners, types and whether they are pages. */
export function sectionPages(recording, tracks, index, tick) {
  const { meta } = recording;
  const cps = meta.cells_per_section;
  const section = meta.sections[index];
  const cut = (track, n) => (track ? track.state.subarray(index * n, (index + 1) * n) : null);
  const blocks = meta.machine.section_pages / meta.machine.pageblock_pages;
  if (meta.pages_per_cell === 1) {
    return {
      kind: cut(tracks.kind, cps),
      owner: cut(tracks.owner, cps),
      types: cut(tracks.migratetype, blocks),
      pages: 1,
      note: "",
    };
  }
  const rows = recording.details.map((row, i) => ({ ...row, i })).filter((row) => row.section === section);
  const stored = lastBefore(rows.sort((a, b) => a.tick - b.tick), tick);
  if (stored) {
    const part = (name) => recording.arrays[`detail.${stored.i}.${name}`];
    const note = stored.tick === tick ? "" : `Its pages as recorded at tick ${stored.tick}.`;
    return { kind: part("kind"), owner: part("owner"), types: part("migratetype"), pages: 1, note };
  }
  return {
    kind: cut(tracks.kind, cps),
    owner: null,
    types: null,
    pages: meta.pages_per_cell,
    note: `This recording carries no single pages of this section at this tick: a cell shows the least movable of ${meta.pages_per_cell} pages.`,
  };
}

export class DetailPanel {
  constructor({ onHover, onClose }) {
    this.title = makeElement("h3", "detail-title");
    this.note = makeElement("p", "detail-note");
    this.canvas = makeElement("canvas", "detail-canvas", { role: "img", "aria-label": "pages of the section" });
    this.types = makeElement("div", "detail-types");
    this.body = makeElement("div", "detail-body", {}, [this.types, this.canvas]);
    const head = makeElement("header", "detail-head", {}, [
      this.title,
      this.note,
      makeButton("close", "Close (Esc)", onClose),
    ]);
    this.el = makeElement("section", "detail", { "aria-label": "section in detail", hidden: true }, [head, this.body]);
    this.context = this.canvas.getContext("2d");
    this.canvas.addEventListener("pointermove", (event) => onHover(this.pageAt(event), event));
    this.canvas.addEventListener("pointerleave", (event) => onHover(null, event));
    this.index = null;
  }

  get open() {
    return this.index !== null;
  }

  /** Open section `index` of a side (see side.js), or close with null. */
  show(index, side) {
    this.index = index;
    this.side = side;
    this.el.hidden = index === null;
    this.measured = null;
  }

  /** named: whether to say whose section it is. */
  draw(look, named) {
    if (!this.open) return;
    const { recording, scene, tick } = this.side;
    const { meta } = recording;
    this.view = { recording, ...sectionPages(recording, scene.tracks, this.index, tick) };
    const section = meta.sections[this.index];
    const pages = meta.machine.section_pages;
    const first = ownPfn(meta, section * pages);
    this.state = stateOf(recording, scene.tracks, this.index);
    const stands = this.state ? ` · ${this.state.label}` : "";
    const name = `Section §${ownSection(meta, section)}${stands}`;
    setText(this.title, named ? `${this.side.letter} · ${name}` : name);
    const span = `pfn ${formatCount(first)} – ${formatCount(first + pages - 1)}`;
    const why = this.state && this.state.line !== "none" ? this.state.why : "";
    const more = [why, this.view.note].filter(Boolean);
    setText(this.note, [more.length ? `${span}.` : span, ...more].join(" "));
    this.layOut(this.view.kind.length, Boolean(this.view.types));
    this.paint(recording, look);
  }

  layOut(cells, typed) {
    const dpr = Math.min(3, window.devicePixelRatio || 1);
    const width = this.body.clientWidth - (typed ? TYPE_COLUMN : 0);
    const key = `${cells}/${width}/${this.body.clientHeight}/${dpr}/${typed}`;
    if (key === this.measured) return;
    this.measured = key;
    const room = Math.max(120, this.body.clientHeight - 2);
    const fit = layoutDetail(cells, width, room);
    this.fit = fit;
    this.layout = { ...fit, w: Math.round(fit.w * dpr), h: Math.round(fit.h * dpr), dpr };
    this.layout.grid = Math.min(fit.w, fit.h) >= 6 ? Math.round(dpr) : 0;
    this.canvas.width = this.layout.w * fit.columns;
    this.canvas.height = this.layout.h * fit.rows;
    this.layout.cells = cells;
    this.layout.xEdges = partEdges(fit.columns, this.canvas.width);
    this.layout.yEdges = partEdges(fit.rows, this.canvas.height);
    this.canvas.style.width = `${this.canvas.width / dpr}px`;
    this.canvas.style.height = `${this.canvas.height / dpr}px`;
    this.types.hidden = !typed;
  }

  paint(recording, look) {
    const { context: c, layout, canvas } = this;
    const { kind, types } = this.view;
    const style = getComputedStyle(this.el);
    const ink = (name) => style.getPropertyValue(`--hotmem-${name}`).trim();
    const paper = parseHex(ink("panel"));
    const glyphs = this.fit.w >= GLYPH_WIDTH && this.fit.h >= GLYPH_HEIGHT;
    const paint = makePaint(recording, { ...look, paper, dpr: layout.dpr });
    if (glyphs) paint.tiles = new Uint8Array(paint.tiles.length);
    const image = new ImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    paintBlock(pixels, canvas.width, layout, paint, { x: 0, y: 0 }, kind, 0);
    c.putImageData(image, 0, 0);
    if (glyphs) this.drawGlyphs(c, recording, look);
    if (types) this.drawPageblocks(c, recording, ink);
  }

  drawGlyphs(c, recording, { theme, mode }) {
    const { layout } = this;
    const { kind } = this.view;
    const styles = recording.kinds.map((row) =>
      mode === "movability" ? recording.movabilities.find((m) => m.name === row.movability) : row,
    );
    const inks = styles.map((style) =>
      luminance(parseHex(style[theme])) > 0.22 ? "#0b0d10" : "#ffffff",
    );
    c.font = `600 ${14 * layout.dpr}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace`;
    c.textAlign = "center";
    c.textBaseline = "middle";
    for (let i = 0; i < kind.length; i++) {
      if (kind[i] < 2) continue;
      c.fillStyle = inks[kind[i]];
      const x = ((i % layout.columns) + 0.5) * layout.w;
      const y = (Math.floor(i / layout.columns) + 0.52) * layout.h;
      c.fillText(styles[kind[i]].short, x, y);
    }
  }

  drawPageblocks(c, recording, ink) {
    const { layout, fit } = this;
    const per = recording.meta.machine.pageblock_pages / this.view.pages;
    const rows = per / layout.columns;
    c.strokeStyle = ink("ink");
    c.lineWidth = Math.max(1, Math.round(1.5 * layout.dpr));
    this.types.replaceChildren();
    const every = Math.max(1, Math.ceil(LABEL_LINE / (rows * fit.h)));
    this.view.types.forEach((type, i) => {
      const y = Math.round(i * rows * layout.h);
      if (i > 0 && rows * fit.h > 4) {
        c.beginPath();
        c.moveTo(0, y);
        c.lineTo(this.canvas.width, y);
        c.stroke();
      }
      if (i % every) return;
      const label = makeElement("span", "detail-type", {}, `${typeName(type)}`);
      label.style.top = `${i * rows * fit.h}px`;
      this.types.append(label);
    });
    this.types.style.height = `${fit.rows * fit.h}px`;
  }

  /** Facts about the page under the pointer, as the tooltip wants them. */
  pageAt(event) {
    if (!this.view) return null;
    const { recording, kind, owner, types, pages } = this.view;
    const { meta } = recording;
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.layout.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.layout.rows);
    const i = row * this.layout.columns + column;
    if (i < 0 || i >= kind.length) return null;
    const section = meta.sections[this.index];
    const pfn = section * meta.machine.section_pages + i * pages;
    const block = Math.floor((i * pages) / meta.machine.pageblock_pages);
    return describePage(recording, pfn, {
      pages,
      kind: recording.kinds[kind[i]],
      owner: owner ? meta.owners.find((o) => o.id === owner[i]) : undefined,
      type: types ? typeName(types[block]) : undefined,
      state: this.state,
    });
  }
}
