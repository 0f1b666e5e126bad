// What the colours mean and how many pages of each kind there are; click to pick one out.

import { formatBytes, formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { swatchStyle } from "./painter.js";

const MODES = [
  ["kind", "kind"],
  ["movability", "movability"],
];

function kindPages(recording, tick, kind) {
  return recording.counter(`kind.${kind.name}`, tick);
}

/** Rows of the legend: {name, style, kinds} of kinds that the recording ever has. */
export function legendRows(recording, mode) {
  const last = recording.ticks - 1;
  const present = recording.kinds.filter((kind) => {
    for (let tick = 0; tick <= last; tick++) if (kindPages(recording, tick, kind) > 0) return true;
    return false;
  });
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

export class LegendPanel {
  constructor({ onMode, onHighlight }) {
    this.onHighlight = onHighlight;
    this.modeButtons = MODES.map(([mode, label]) =>
      makeElement("button", "segment", { type: "button", onclick: () => onMode(mode) }, label),
    );
    this.scale = makeElement("p", "legend-scale");
    this.list = makeElement("div", "legend-list");
    const switcher = makeElement("div", "segments", { role: "group", "aria-label": "colour by" }, this.modeButtons);
    this.el = makeElement("section", "panel legend", { "aria-label": "legend" }, [
      makeElement("div", "legend-head", {}, [switcher, this.scale]),
      this.list,
    ]);
  }

  /** Build the rows anew: after a new recording, mode, theme or highlight. */
  load(recording, { mode, theme, highlight }) {
    this.recording = recording;
    MODES.forEach(([name], i) => {
      this.modeButtons[i].setAttribute("aria-pressed", String(name === mode));
    });
    const pages = recording.meta.pages_per_cell;
    const bytes = formatBytes(pages * recording.meta.page_size);
    setText(this.scale, pages === 1 ? `1 cell = 1 page, ${bytes}` : `1 cell = ${pages} pages`);
    this.scale.title = pages === 1 ? "" : `${bytes} a cell; it shows the least movable of its pages.`;
    this.rows = legendRows(recording, mode).map((row) => ({ ...row, count: makeElement("span", "legend-count") }));
    this.list.replaceChildren(...this.rows.map((row) => this.makeRow(row, theme, highlight)));
  }

  makeRow(row, theme, highlight) {
    const swatch = makeElement("span", "swatch", { "aria-hidden": "true" }, row.style.short.trim());
    swatch.style.background = swatchStyle(row.style, theme);
    swatch.dataset.colour = row.style[theme];
    const pressed = String(highlight === row.name);
    const onclick = () => this.onHighlight(highlight === row.name ? null : row.name);
    const title = row.style.why || row.kinds.map((kind) => kind.label).join(", ");
    const children = [swatch, makeElement("span", "legend-label", {}, row.style.label), row.count];
    return makeElement("button", "legend-row", { type: "button", title, "aria-pressed": pressed, onclick }, children);
  }

  draw(tick) {
    for (const { kinds, count } of this.rows) {
      const pages = kinds.reduce((sum, kind) => sum + kindPages(this.recording, tick, kind), 0);
      setText(count, formatCount(pages));
    }
  }
}
