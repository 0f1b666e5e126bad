// What the colours mean and how many pages of each kind there are; click to pick one out.

import { formatBytes, formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { swatchStyle } from "./painter.js";
import { SectionLegend } from "./sectionlegend.js";

const MODES = [
  ["kind", "kind"],
  ["movability", "movability"],
];

function kindPages(recording, tick, kind) {
  return recording.counter(`kind.${kind.name}`, tick);
}

function everHas(recording, kind) {
  for (let tick = 0; tick < recording.ticks; tick++) if (kindPages(recording, tick, kind) > 0) return true;
  return false;
}

/** Rows of the legend: {name, style, kinds} of kinds that one of the recordings ever has. */
export function legendRows(recording, mode, others = []) {
  const all = [recording, ...others];
  const present = recording.kinds.filter((kind) => all.some((one) => everHas(one, kind)));
  const single = (kind) => ({ name: kind.name, style: kind, kinds: [kind] });
  const quiet = (kind) => kind.name === "free" || kind.name === "hole";
  const users = present.filter((kind) => !quiet(kind));
  const free = present.filter(quiet).reverse();
  if (mode === "kind") return [...users, ...free].map(single);
  const classes = recording.movabilities.map((style) => ({
    name: style.name,
    style,
    kinds: users.filter((kind) => kind.movability === style.name),
  }));
  return [...classes.filter((row) => row.kinds.length > 0), ...free.map(single)];
}

const inPages = (pages) => (pages === 1 ? "1 page" : `${pages} pages`);

/** How many pages a cell is, in words; where sides (see side.js) differ, for each of them. */
export function cellScale(sides) {
  const pages = sides.map(({ recording }) => recording.meta.pages_per_cell);
  if (pages.some((n) => n !== pages[0])) {
    return `1 cell = ${sides.map(({ letter }, i) => `${letter} ${inPages(pages[i])}`).join(", ")}`;
  }
  const bytes = formatBytes(pages[0] * sides[0].recording.meta.page_size);
  return pages[0] === 1 ? `1 cell = 1 page, ${bytes}` : `1 cell = ${inPages(pages[0])}`;
}

export class LegendPanel {
  constructor({ onMode, onHighlight }) {
    this.onHighlight = onHighlight;
    this.modeButtons = MODES.map(([mode, label]) =>
      makeElement("button", "segment", { type: "button", onclick: () => onMode(mode) }, label),
    );
    this.scale = makeElement("p", "legend-scale");
    this.list = makeElement("div", "legend-list");
    const terse = [makeElement("span", "terse-swatch", { "aria-hidden": "true" }), "underlined: ZONE_MOVABLE"];
    this.terse = makeElement("p", "legend-terse", {}, terse);
    this.sections = new SectionLegend();
    const switcher = makeElement("div", "segments", { role: "group", "aria-label": "colour by" }, this.modeButtons);
    this.el = makeElement("section", "panel legend", { "aria-label": "legend" }, [
      makeElement("div", "legend-head", {}, [switcher, this.scale]),
      this.list,
      this.terse,
      this.sections.el,
    ]);
  }

  /** Build the rows anew: after other recordings, another mode, theme or highlight. */
  load(sides, { mode, theme, highlight }) {
    const [{ recording }, ...others] = sides;
    MODES.forEach(([name], i) => {
      this.modeButtons[i].setAttribute("aria-pressed", String(name === mode));
    });
    const most = sides.reduce((max, side) => Math.max(max, side.recording.meta.pages_per_cell), 1);
    const bytes = formatBytes(most * recording.meta.page_size);
    setText(this.scale, cellScale(sides));
    this.scale.title = most === 1 ? "" : `${bytes} a cell; it shows the least movable of its pages.`;
    const rows = legendRows(recording, mode, others.map((side) => side.recording));
    this.rows = rows.map((row) => ({ ...row, counts: sides.map((side) => this.makeCount(side, others.length > 0)) }));
    this.list.replaceChildren(...this.rows.map((row) => this.makeRow(row, theme, highlight)));
    this.sections.load(sides, theme);
  }

  makeCount({ letter, index }, paired) {
    return makeElement("span", paired ? `legend-count side${index}` : "legend-count", paired ? { title: letter } : {});
  }

  makeRow(row, theme, highlight) {
    const swatch = makeElement("span", "swatch", { "aria-hidden": "true" }, row.style.short.trim());
    swatch.style.background = swatchStyle(row.style, theme);
    swatch.dataset.colour = row.style[theme];
    const pressed = String(highlight === row.name);
    const onclick = () => this.onHighlight(highlight === row.name ? null : row.name);
    const title = row.style.why || row.kinds.map((kind) => kind.label).join(", ");
    const children = [swatch, makeElement("span", "legend-label", {}, row.style.label), ...row.counts];
    return makeElement("button", "legend-row", { type: "button", title, "aria-pressed": pressed, onclick }, children);
  }

  draw(sides) {
    for (const { kinds, counts } of this.rows) {
      sides.forEach(({ recording, tick }, i) => {
        const pages = kinds.reduce((sum, kind) => sum + kindPages(recording, tick, kind), 0);
        setText(counts[i], formatCount(pages));
      });
    }
    this.sections.draw(sides);
  }
}
