// The time chart: drawn once by Python, stretched to the panel; labels and cursor are ours.

import { clamp } from "./format.js";
import { makeElement, setText } from "./dom.js";

const LABEL_HEIGHT = 19;
const FEW_LINES = 4;
const WAITING = "The chart is being drawn …";
const SINGLE = "This recording is of a single moment: there is nothing to draw over time.";

/** Move labels (fractions from the top) apart until none overlaps; keeps their order. */
export function spreadLabels(fractions, height, size) {
  const order = fractions.map((at, i) => ({ i, y: at * height })).sort((a, b) => a.y - b.y);
  let floor = size / 2;
  for (const label of order) {
    label.y = Math.max(label.y, floor);
    floor = label.y + size;
  }
  let roof = height - size / 2;
  for (const label of order.toReversed()) {
    label.y = Math.min(label.y, roof);
    roof = label.y - size;
  }
  const result = new Array(fractions.length);
  for (const { i, y } of order) result[i] = y;
  return result;
}

/** Where the lines' names stand: {line, text, top, column}; two columns of first words where they are too many. */
export function placeNames(lines, height) {
  const many = lines.length * LABEL_HEIGHT > height && lines.length > FEW_LINES;
  const places = lines.toSorted((a, b) => b.at - a.at).map((line, i) => ({
    line,
    text: many ? line.label.split(" ")[0] : line.label,
    column: many ? i % 2 : 0,
  }));
  for (const column of [0, 1]) {
    const own = places.filter((place) => place.column === column);
    const tops = spreadLabels(own.map(({ line }) => 1 - line.at), height, LABEL_HEIGHT);
    own.forEach((place, i) => {
      place.top = tops[i];
    });
  }
  return places;
}

export class ChartPanel {
  constructor({ onSeek }) {
    this.drawing = makeElement("div", "chart-svg", { role: "img" });
    this.cursor = makeElement("div", "chart-cursor");
    this.plot = makeElement("div", "chart-plot", {}, [this.drawing, this.cursor]);
    this.labels = makeElement("div", "chart-labels", { "aria-hidden": "true" });
    this.waiting = makeElement("p", "chart-waiting", {}, WAITING);
    this.el = makeElement("section", "panel chart", { "aria-label": "time chart" }, [
      this.plot,
      this.labels,
      this.waiting,
    ]);
    this.payload = {};
    this.ticks = 1;
    this.tick = 0;
    const seek = (event) => {
      const box = this.plot.getBoundingClientRect();
      const { left = 0, right = 1 } = this.payload;
      const share = ((event.clientX - box.left) / box.width - left) / (right - left || 1);
      onSeek(Math.round(clamp(share, 0, 1) * (this.ticks - 1)));
    };
    this.plot.addEventListener("pointerdown", (event) => {
      this.plot.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.plot.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) seek(event);
    });
    new ResizeObserver(() => this.layOut()).observe(this.plot);
  }

  /** Show a payload {light, dark, left, right, ...}; an empty one means "being drawn". */
  show(payload, theme, ticks) {
    this.payload = ticks > 1 ? (payload ?? {}) : {};
    setText(this.waiting, ticks > 1 ? WAITING : SINGLE);
    this.theme = theme;
    this.ticks = ticks;
    const text = this.payload[theme];
    this.el.classList.toggle("hotmem-empty", !text);
    this.waiting.hidden = Boolean(text);
    this.drawing.innerHTML = text ?? "";
    this.drawing.setAttribute("aria-label", this.payload.alt ?? "time chart");
    this.layOut();
    this.moveCursor(this.tick);
  }

  layOut() {
    const { payload, theme } = this;
    this.labels.replaceChildren();
    if (!payload[theme]) return;
    const height = this.plot.clientHeight;
    // A page that changes its theme may hide us for a moment, too short for the observer.
    if (height === 0) requestAnimationFrame(() => this.plot.clientHeight > 0 && this.layOut());
    const put = (classes, text, style) => {
      const label = makeElement("span", classes, {}, text);
      for (const [name, value] of Object.entries(style)) label.style.setProperty(name, value);
      this.labels.append(label);
    };
    const rows = payload.y_ticks ?? [];
    const every = rows.length > 1 && height / rows.length < LABEL_HEIGHT ? 2 : 1;
    rows.forEach(({ at, text }, i) => {
      if (i % every === 0) put("chart-y", text, { top: `${100 * (1 - at)}%` });
    });
    for (const { at, text } of payload.x_ticks ?? []) put("chart-x", text, { "--at": at });
    for (const { line, text, top, column } of placeNames(payload.lines ?? [], height)) {
      put("chart-name", text, { top: `${top}px`, color: line[theme], "--column": column });
    }
  }

  moveCursor(tick) {
    this.tick = tick;
    const { left = 0, right = 1 } = this.payload;
    const share = this.ticks > 1 ? tick / (this.ticks - 1) : 0;
    const percent = 100 * (left + share * (right - left));
    this.cursor.style.left = `${percent.toFixed(3)}%`;
  }
}
