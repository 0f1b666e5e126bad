// Meters of the mail's proposal: the region for devices, the parts it touches, tax against stalls.

import { makeElement, makeSvg, setText } from "./dom.js";
import { clamp, formatCount, formatPercent, formatTime } from "./format.js";
import { makeCard, makeWords, MeterRow } from "./meterparts.js";

const PARTS = 16;

/** How full the region for devices' pages is, and what spilled (S39, S43). */
export class DeviceMeter {
  static key = "device";
  static counters = ["device.region", "device.held", "device.spilled"];
  static basis = 210;
  static widest = 420;
  static title = "devices";
  static concerns = new Set(["device_region"]);
  static lines = (width) => (width >= 300 ? 9 : width >= 240 ? 11.5 : 13.5);

  constructor() {
    this.fill = new MeterRow("the region", ["held"]);
    this.spill = new MeterRow("spilled elsewhere", ["far"]);
    this.kernel = new MeterRow("all kernel memory, to compare", ["can"]);
    this.words = makeWords();
    this.el = makeCard("A region for devices", "S39", [this.fill.el, this.spill.el, this.kernel.el, this.words]);
  }

  load({ recording }) {
    this.kinds = recording.kinds.filter(({ movability }) => movability === "remap").map(({ name }) => `kind.${name}`);
  }

  draw({ recording, tick }) {
    const [region, held, spilled] = DeviceMeter.counters.map((name) => recording.counter(name, tick));
    const kernel = this.kinds.reduce((sum, name) => sum + recording.counter(name, tick), 0);
    const present = recording.meta.machine.present_pages;
    const most = Math.max(region, spilled, kernel);
    const share = (pages) => `${formatPercent(pages, present)} of memory`;
    this.fill.set(region ? `${formatCount(held)} of ${formatCount(region)} pages` : "none is set aside", { held }, region);
    this.spill.set(`${formatCount(spilled)} pages`, { far: spilled }, most);
    this.kernel.set(`${formatCount(kernel)} pages`, { can: kernel }, most);
    setText(this.words, `Set aside: ${share(region)}. A reserve for all kernel memory would hold ${share(kernel)} now (S43).`);
    this.el.setAttribute("aria-label", `region for devices: ${this.el.textContent}`);
  }
}

/** The first tick at which each part of `meta.subsystems` is reached; Infinity for never. Pure. */
export function reachedAt({ meta, events }) {
  return meta.subsystems.map((part) => {
    const kinds = new Set(part.events.map((name) => name.toLowerCase()));
    const touches = (event) => kinds.has(event.kind) || (event.function !== "" && part.functions.includes(event.function));
    return events.filter(touches).reduce((first, { tick }) => Math.min(first, tick), Infinity);
  });
}

/** The parts of the kernel that the proposal touches, lit as the run reaches them (S41). */
export class SubsystemsMeter {
  static key = "subsystems";
  static counters = [];
  static basis = 330;
  static widest = 1000;
  static title = "parts touched";
  static concerns = new Set();
  static lines = (width) => 2.6 + 1.25 * Math.ceil(PARTS / Math.max(1, Math.floor((width + 8) / 166)));

  constructor() {
    this.list = makeElement("ul", "parts");
    this.words = makeWords();
    this.el = makeCard("Parts of the kernel that it touches", "S41", [this.words, this.list]);
  }

  load({ recording }) {
    this.reached = reachedAt(recording);
    this.items = recording.meta.subsystems.map(({ name, what, events, functions, questions }) => {
      const asked = events.length + functions.length > 0;
      const title = `${what}${questions.length ? ` (${questions.join(", ")})` : ""}${asked ? "" : "; the mail does not ask it"}`;
      const sign = makeElement("span", "part-sign", { "aria-hidden": "true" });
      const el = makeElement("li", `part ${asked ? "" : "part-unasked"}`, { title }, [sign, name]);
      return { el, sign, asked };
    });
    this.list.replaceChildren(...this.items.map(({ el }) => el));
  }

  draw({ tick }) {
    let lit = 0;
    this.items.forEach(({ el, sign, asked }, i) => {
      const on = this.reached[i] <= tick;
      lit += Number(on);
      el.classList.toggle("hotmem-lit", on);
      el.classList.toggle("hotmem-part-now", this.reached[i] === tick);
      setText(sign, on ? "✓" : asked ? "·" : "?");
    });
    const asked = this.items.filter((item) => item.asked).length;
    setText(this.words, `${lit} of ${asked} reached; ${this.items.length - asked} never asked`);
    this.el.setAttribute("aria-label", `parts of the kernel touched: ${this.words.textContent}`);
  }
}

/** Decades that hold some positive numbers, with one to spare: [least, most] exponents. Pure. */
export function decadesAbout(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  return [Math.floor(Math.min(...logs)) - 1, Math.ceil(Math.max(...logs)) + 1];
}

/** A constant tax on faults against a stall at each removal (S37). */
export class CrossoverMeter {
  static key = "crossover";
  static counters = ["tax_day_ns", "stall_day_ns", "even_removals"];
  static basis = 250;
  static widest = 460;
  static title = "tax or stall";
  static concerns = new Set(["tax", "resumed"]);
  static lines = (width) => (width >= 380 ? 11 : 12.2);

  constructor() {
    this.svg = makeSvg("svg", { class: "hotmem-crossover", role: "img" });
    this.words = makeWords();
    this.el = makeCard("A tax for ever, or stalls?", "S37", [this.svg, this.words]);
  }

  load({ recording }) {
    const last = recording.ticks - 1;
    // Where the run ends is where it stands on the axes, so that nothing jumps while playing.
    this.range = [];
    for (let tick = 0; tick <= last; tick++) this.range.push(recording.counter("even_removals", tick));
    this.drawn = "";
  }

  draw({ recording, tick }) {
    const { faults, removals, tax } = recording.meta.parameters;
    const [taxed, stalled, even] = CrossoverMeter.counters.map((name) => recording.counter(name, tick));
    const far = Math.max(...this.range) || 1;
    this.plot({ faults, removals, even, y: decadesAbout([removals, far]), x: decadesAbout([faults]) });
    const words = even
      ? `A tax of ${formatPercent(tax)} on ${formatCount(faults)} faults a second costs ${formatTime(taxed)} a day. So do ${formatCount(even)} removals a day with this run's pause; ${formatCount(removals)} ${removals === 1 ? "costs" : "cost"} ${formatTime(stalled)}. All assumed, nothing measured.`
      : `The tax costs ${formatTime(taxed)} a day as assumed; this run has not stopped yet.`;
    setText(this.words, words);
    this.svg.setAttribute("aria-label", `tax against stalls: ${words}`);
  }

  /** The line on which both cost the same, by faults a second and removals a day, and this run. */
  plot({ faults, removals, even, x, y }) {
    const width = clamp(this.el.clientWidth || CrossoverMeter.basis, CrossoverMeter.basis, CrossoverMeter.widest);
    const key = [faults, removals, even, x, y, width].join("/");
    if (key === this.drawn) return;
    this.drawn = key;
    const box = { left: 46, top: 20, right: width - 22, bottom: 98 };
    const px = (value) => box.left + ((Math.log10(value) - x[0]) / (x[1] - x[0])) * (box.right - box.left);
    const py = (value) => box.bottom - ((Math.log10(value) - y[0]) / (y[1] - y[0])) * (box.bottom - box.top);
    for (const [name, value] of [["width", width], ["height", 118]]) this.svg.setAttribute(name, value);
    const parts = [makeSvg("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top, class: "hotmem-cross-ground" })];
    const text = (words, at, top, anchor, classes = "") => {
      const el = makeSvg("text", { x: at, y: top, "text-anchor": anchor, class: classes });
      el.textContent = words;
      parts.push(el);
    };
    const power = (exponent) => (exponent >= 0 && exponent < 4 ? formatCount(10 ** exponent) : `10${superscript(exponent)}`);
    text(power(y[0]), box.left - 6, box.bottom, "end");
    text(power(y[1]), box.left - 6, box.top + 12, "end");
    text(power(x[0]), box.left, box.bottom + 16, "middle");
    text(power(x[1]), box.right, box.bottom + 16, "middle");
    text("faults a second", (box.left + box.right) / 2, box.bottom + 16, "middle");
    text("removals a day", box.left - 40, 13, "start");
    if (even > 0) {
      const slope = even / faults;
      const clip = (value) => Math.min(10 ** y[1], Math.max(10 ** y[0], value));
      const from = clip(slope * 10 ** x[0]);
      const to = clip(slope * 10 ** x[1]);
      const d = `M${px(from / slope)} ${py(from)}L${px(to / slope)} ${py(to)}`;
      parts.push(makeSvg("path", { d, class: "hotmem-cross-line" }));
      text("stalls cost more", box.left + 6, box.top + 15, "start", "hotmem-cross-side");
      text("tax costs more", box.right - 6, Math.min(box.bottom - 6, py(to) + 26), "end", "hotmem-cross-side");
    }
    parts.push(makeSvg("circle", { cx: px(faults), cy: py(removals), r: 5, class: "hotmem-cross-run" }));
    this.svg.replaceChildren(...parts);
  }
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const superscript = (n) => (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((digit) => SUPERSCRIPTS[digit]).join("");
