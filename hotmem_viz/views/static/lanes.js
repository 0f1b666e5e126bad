// What every CPU does while the machine stands still, and how long that takes by the cost model.

import { KEY_ORDER, makeHatches, makeStateKey, STATE_TELLS, STATE_WORDS, stateRects } from "./cpu_looks.js";
import { clamp } from "./format.js";
import { makeElement, makeSvg, setText, textMeasure } from "./dom.js";
import {
  countLines, CPU_STATES, findStops, formatPause, joinLanes, laneRows, partEdgesOf, sayPause, stoodStill, stopAt,
  timeToPixel, whenOf,
} from "./lanegeometry.js";
import { ViewsPanel } from "./viewspanel.js";

const NO_SPANS = "No CPU is stopped in this run, so there are no lanes to show.";
const BASIS = "by the cost model, not measured";
const SIDE_LIST = 20.5;
const SIDE_LIST_FROM = 46;
const LANE_LABEL = 4.6;
const STATE_LINE = 1.4;
const PAUSE_SIZE = 1.6;
const PAUSE_LINES = 1.6;
const LEAST_HEAD_LINES = 2.6;
const LEAST_KEY_LINES = 2;
const KEY_SPARE = 0.1;
const KEY_SWATCH = 23;
const KEY_GAP = 12;
const LEAST_LANES = 88;
const CLOSE_LINE = 1.3;
const ROOMY_LINE = 1.5;
const SMALLEST_TEXT = 14;
const TALLEST_LANE = 26;
const LEAST_PART = 7;
const CHARACTER = 0.62;
const BETWEEN_LANES = 20;

/** Sizes that follow the text of the stage: {text, line, list, label, stateLine}, css pixels. */
function lanesMetrics(el) {
  const text = Math.max(SMALLEST_TEXT, Math.round(parseFloat(getComputedStyle(el).fontSize)));
  return {
    text,
    line: Math.round(text * CLOSE_LINE),
    list: Math.round(text * SIDE_LIST),
    label: Math.round(text * LANE_LABEL),
    stateLine: Math.round(text * STATE_LINE),
  };
}

const laneName = ({ first, last }) => (first === last ? `CPU ${first}` : `CPU ${first} – CPU ${last}`);

/** One recording's lanes. */
class LanesView {
  constructor(host, hatches) {
    this.host = host;
    this.hatches = hatches;
    this.chip = makeElement("span", "lanes-chip");
    this.pause = makeElement("strong", "lanes-pause");
    this.basis = makeElement("span", "lanes-basis");
    this.head = makeElement("p", "lanes-head", {}, [this.chip, this.pause, " ", this.basis]);
    this.svg = makeSvg("svg", { class: "hotmem-lanes-drawing", role: "img" });
    this.list = makeElement("ol", "lanes-parts");
    this.legend = makeElement("p", "lanes-legend", { "aria-hidden": "true" }, KEY_ORDER.map((state) => makeStateKey(state, hatches)));
    this.text = makeElement("div", "lanes-text", {}, [this.head, this.list, this.legend]);
    this.none = makeElement("p", "optional-none", {}, NO_SPANS);
    this.el = makeElement("div", "lanes-view", {}, [this.text, this.svg, this.none]);
    this.svg.addEventListener("pointermove", (event) => this.tell(event));
    this.svg.addEventListener("pointerleave", () => host.hideTip());
  }

  load(side, named) {
    this.side = side;
    this.stops = findStops(side.recording);
    this.shown = null;
    const { length } = this.stops;
    for (const part of [this.text, this.svg]) part.toggleAttribute("hidden", length === 0);
    this.none.hidden = length > 0;
    this.chip.hidden = !named;
    this.chip.className = `hotmem-lanes-chip hotmem-side-chip hotmem-side${side.index}`;
    setText(this.chip, side.letter);
  }

  /** Heights of what is told in words, the pause and its parts, and of the key to the states. */
  listHeights({ line }, { head, key }) {
    return [Math.round(line * (head + this.rows)), Math.round(line * key)];
  }

  /** Lines that the head and the key take at a width. */
  linesAt(width) {
    return this.stops.length > 0 ? { head: this.headLines(width), key: this.keyLines(width) } : { head: 0, key: 0 };
  }

  keyLines(width) {
    const measure = textMeasure(this.el);
    const lines = countLines(KEY_ORDER.map((state) => KEY_SWATCH + measure(STATE_WORDS[state])), KEY_GAP, width);
    return Math.max(LEAST_KEY_LINES, lines) + KEY_SPARE;
  }

  /** Lines that the pause and the longest of what is said beside it take. */
  headLines(width) {
    const measure = textMeasure(this.el);
    const space = measure(" ");
    const lines = this.stops.flatMap((stop, at) => {
      const said = [stop.first - 1, stop.first, stop.last].map((tick) => this.sayAt(stop, at, tick));
      const pause = measure(formatPause(stop.total), true) * PAUSE_SIZE + (this.chip.hidden ? 0 : this.chip.offsetWidth + 2 * space);
      return said.map((words) => countLines(words.split(" ").map((word) => measure(word)), space, width, pause));
    });
    return Math.max(LEAST_HEAD_LINES, PAUSE_LINES + Math.max(...lines) - 1);
  }

  sayAt(stop, at, tick) {
    return sayPause(stop, tick, { at, stops: this.stops.length, basis: BASIS });
  }

  get rows() {
    return this.stops.reduce((most, stop) => Math.max(most, stop.parts.length), 1);
  }

  least(width) {
    const sizes = lanesMetrics(this.el);
    if (this.stops.length === 0) return 2 * sizes.line;
    const beside = width >= SIDE_LIST_FROM * sizes.text;
    const [list] = this.listHeights(sizes, this.linesAt(beside ? sizes.list : width));
    const lanes = sizes.stateLine + LEAST_LANES;
    return beside ? Math.max(list, lanes) : list + lanes;
  }

  resize(width, height) {
    const sizes = (this.sizes = lanesMetrics(this.el));
    const beside = width >= SIDE_LIST_FROM * sizes.text;
    const lanesLeast = beside ? 0 : sizes.stateLine + LEAST_LANES;
    const lines = this.linesAt(beside ? sizes.list : width);
    const roomy = (height - lanesLeast) / (lines.head + this.rows + lines.key);
    sizes.line = Math.floor(clamp(roomy, sizes.line, sizes.text * ROOMY_LINE));
    const [list, legend] = this.listHeights(sizes, lines);
    const keyed = height >= list + legend + lanesLeast;
    this.el.classList.toggle("hotmem-lanes-beside", beside);
    this.legend.hidden = !keyed;
    const words = list + (keyed ? legend : 0);
    this.width = beside ? width - sizes.list - 16 : width;
    this.height = beside ? height : height - words;
    for (const [name, value] of [["line", sizes.line], ["list", sizes.list], ["head", lines.head * sizes.line], ["key", lines.key * sizes.line]]) this.el.style.setProperty(`--hotmem-lanes-${name}`, `${value}px`);
    this.shown = null;
    const cpus = Math.max(0, ...this.stops.map((stop) => stop.cpus));
    const drawn = Math.min(this.height, sizes.stateLine + cpus * TALLEST_LANE + 4);
    return beside ? Math.max(words, drawn) : words + drawn;
  }

  draw() {
    if (this.stops.length === 0 || !this.width) return;
    const { tick } = this.side;
    const at = stopAt(this.stops, tick);
    if (this.shown !== at) this.paint(at);
    const stop = this.stops[at];
    stop.parts.forEach((part, i) => {
      const when = whenOf(stop, part, tick);
      this.groups[i].setAttribute("class", `hotmem-lanes-part hotmem-lanes-${when}`);
      this.items[i].className = `hotmem-lanes-item hotmem-lanes-${when}`;
      this.items[i].setAttribute("aria-current", when === "now" ? "step" : "false");
    });
    this.say(stop, at, tick);
  }

  say(stop, at, tick) {
    const spent = stoodStill(stop, tick);
    setText(this.pause, formatPause(spent));
    const state = this.sayAt(stop, at, tick);
    setText(this.basis, state);
    const now = stop.parts.find((part) => whenOf(stop, part, tick) === "now");
    const doing = now ? ` Now: ${now.label}, ${formatPause(now.to - now.from)}.` : "";
    this.svg.setAttribute("aria-label", `${stop.cpus} CPU lanes. ${formatPause(spent)} ${state}.${doing}`);
  }

  /** Draw all of a stop; which parts are over or to come is told by their classes. */
  paint(at) {
    this.shown = at;
    const stop = this.stops[at];
    const { text, label, stateLine: top } = this.sizes;
    const lanes = laneRows(stop.cpus, this.height - top - 4, text, TALLEST_LANE);
    const { edges, widened } = partEdgesOf(stop, this.width - label - 2, LEAST_PART);
    this.layout = { stop, lanes, edges, widened, top, text, label };
    const height = top + lanes.height + 3;
    for (const [name, value] of [["width", this.width], ["height", height]]) this.svg.setAttribute(name, value);
    this.groups = stop.parts.map((part, i) => this.paintPart(part, edges[i], edges[i + 1], i));
    const names = lanes.named.map((lane) => {
      const y = top + (lane + 0.5) * lanes.pitch;
      return this.makeText(label - 8, y, `CPU ${lane}`, "hotmem-lanes-name");
    });
    this.svg.replaceChildren(...names, ...this.groups);
    this.items = stop.parts.map((part) => {
      const parts = [makeElement("span", "", {}, part.label), makeElement("span", "", {}, formatPause(part.to - part.from))];
      const title = `Go to tick ${part.tick}`;
      return makeElement("button", "lanes-item", { type: "button", title, onclick: () => this.host.goTo(this.side, part.tick) }, parts);
    });
    this.list.replaceChildren(...this.items.map((item) => makeElement("li", "", {}, item)));
  }

  makeText(x, y, words, classes) {
    const { text } = this.layout;
    const element = makeSvg("text", { x, y: y + text * 0.36, class: classes, "font-size": text });
    element.textContent = words;
    return element;
  }

  paintPart(part, left, right, i) {
    const { lanes, top, label } = this.layout;
    const group = makeSvg("g");
    let named = -Infinity;
    for (const span of joinLanes(part.spans)) {
      const state = CPU_STATES[span.state];
      const [x, end] = [span.from, span.to].map((time) => label + timeToPixel(part, time, left, right));
      const rows = lanes.gap ? span.last - span.first + 1 : 1;
      const one = lanes.gap ? 1 : span.last - span.first + 1;
      for (let row = 0; row < rows; row++) {
        const y = top + (span.first + row) * lanes.pitch;
        const size = { x, y, width: Math.max(1, end - x), height: one * lanes.pitch - lanes.gap };
        group.append(...stateRects(size, state, this.hatches));
      }
      if (span.first === 0 && x >= named) named = this.nameState(group, x, end, STATE_WORDS[state]) ?? named;
    }
    if (i > 0) group.append(makeSvg("line", { x1: label + left, x2: label + left, y1: top - 3, y2: top + lanes.height, class: "hotmem-lanes-edge" }));
    return group;
  }

  /** Write a state's name above its span where there is room for it; returns where it ends. */
  nameState(group, x, end, words) {
    const { top, text } = this.layout;
    if (words.length * text * CHARACTER > end - x - 4) return null;
    group.append(this.makeText(x + 3, top / 2 - 2, words, "hotmem-lanes-state"));
    return end;
  }

  /** Tell what is under the pointer. */
  tell(event) {
    const { stop, lanes, edges, widened, top, label } = this.layout ?? {};
    if (!stop) return;
    const box = this.svg.getBoundingClientRect();
    const x = event.clientX - box.left - label;
    const lane = Math.floor((event.clientY - box.top - top) / lanes.pitch);
    const i = edges.findIndex((edge, k) => k > 0 && x < edge) - 1;
    if (x < 0 || i < 0 || lane < 0 || lane >= stop.cpus) {
      this.host.hideTip();
      return;
    }
    const part = stop.parts[i];
    const time = part.from + ((x - edges[i]) / (edges[i + 1] - edges[i])) * (part.to - part.from);
    const span = part.spans.findLast((one) => one.lane === lane && one.from <= time) ?? part.spans[0];
    const long = widened.has(i) ? " (drawn wider than it is)" : "";
    const words = `${laneName({ first: lane, last: lane })} ${STATE_TELLS[CPU_STATES[span.state]]}, ${formatPause(span.to - span.from)}. ${part.label}: ${formatPause(part.to - part.from)}${long}, tick ${part.tick}.`;
    this.host.showTip(words.replace(/^./, (c) => c.toUpperCase()), event);
  }
}

export class LanesPanel extends ViewsPanel {
  static panelName = "lanes";
  static panelTitle = "CPU lanes";
  static narrowest = 380;
  static concerns = new Set(["stopped", "copied", "resumed"]);

  constructor(host) {
    const hatches = makeHatches();
    super(makeElement("div", "lanes"), BETWEEN_LANES, () => new LanesView(host, hatches));
    this.el = makeElement("div", "lanes-panel", {}, [hatches.el, this.holder]);
  }
}
