// Small meters that a recording names in `meta.meters`, each a card that follows the ticks.

import { makeElement, setText } from "./dom.js";
import { CrossoverMeter, DeviceMeter, SubsystemsMeter } from "./metersremap.js";
import { CornerMeter, DistanceMeter } from "./meterszones.js";

const METERS = [CornerMeter, DistanceMeter, DeviceMeter, SubsystemsMeter, CrossoverMeter];
const LEAST_METERS = 230;
const SMALLEST_SIZE = 14;
const METER_LINE = 1.3;
const METER_GAP = 22;
const METER_BETWEEN = 8;
const METER_STRIP = 34;

/** What keeps a meter from being shown: a counter that the recording has not, or "". */
export function missingCounter(Meter, recording) {
  return Meter.counters.find((name) => !recording.hasCounter(name)) ?? "";
}

/** The meter that the last marked event up to a tick is about, of some classes; else the fallback. Pure. */
export function meterOfEvents(classes, { recording, tick }, fallback) {
  const marked = recording.events.filter((event) => event.mark && event.tick <= tick);
  for (const { kind } of marked.reverse()) {
    const found = classes.find((Meter) => Meter.concerns.has(kind));
    if (found) return found;
    if (fallback) return fallback;
  }
  return fallback ?? classes[0];
}

export class MetersPanel {
  static panelName = "meters";
  static panelTitle = "meters";
  static narrowest = 300;
  static concerns = new Set(METERS.flatMap((Meter) => [...Meter.concerns]).filter((kind) => kind !== "resumed").concat("done"));

  constructor() {
    this.strip = makeElement("div", "segments meter-tabs", { role: "group", "aria-label": "meter shown" });
    this.list = makeElement("div", "meters-list");
    this.el = makeElement("div", "meters", {}, [this.strip, this.list]);
    this.cards = [];
    this.chosen = null;
  }

  load(sides) {
    this.sides = sides;
    this.cards = sides.flatMap((side) => this.cardsOf(side, sides.length > 1));
    this.list.replaceChildren(...this.cards.map(({ el }) => el));
    this.classes = METERS.filter((Meter) => this.cards.some((card) => card.Meter === Meter));
    this.tabs = this.classes.map((Meter) => ({
      Meter,
      el: makeElement("button", "segment", { type: "button", onclick: () => this.choose(Meter) }, Meter.title),
    }));
    this.strip.replaceChildren(...this.tabs.map(({ el }) => el));
  }

  cardsOf(side, named) {
    const { recording } = side;
    return METERS.filter((Meter) => recording.meta.meters?.includes(Meter.key)).map((Meter) => {
      const lacks = missingCounter(Meter, recording);
      if (lacks) return { Meter, el: makeElement("p", "optional-none", {}, `The ${Meter.key} meter needs the counter ${lacks}.`), draw: () => {} };
      const meter = new Meter();
      meter.load?.(side);
      meter.el.style.flex = `${Meter.basis} 1 ${Meter.basis}px`;
      meter.el.style.maxWidth = `${Meter.widest}px`;
      if (named) {
        const chip = makeElement("span", `side-chip side${side.index}`, { "aria-hidden": "true" });
        setText(chip, side.letter);
        meter.el.firstChild.prepend(chip, " ");
      }
      return { Meter, el: meter.el, draw: () => meter.draw(side) };
    });
  }

  /** Show one meter where there is no room for all, or null: the one that the events are about. */
  choose(Meter) {
    this.chosen = Meter === this.chosen ? null : Meter;
    this.draw();
  }

  draw() {
    if (!this.cards.length) return;
    const wish = this.chosen ?? meterOfEvents(this.classes, this.sides[0], this.classes.find((Meter) => Meter.concerns.size === 0));
    for (const { Meter, el } of this.tabs) el.setAttribute("aria-pressed", String(Meter === wish));
    for (const { Meter, el, draw } of this.cards) {
      el.hidden = this.tabbed && Meter !== wish;
      if (!el.hidden) draw();
    }
  }

  get wanted() {
    return this.cards.reduce((sum, { Meter }) => sum + Meter.basis + METER_GAP, -METER_GAP);
  }

  /** The height that all cards need beside one another, or the highest one alone. */
  need(width) {
    const line = Math.max(SMALLEST_SIZE, parseFloat(getComputedStyle(this.el).fontSize) || SMALLEST_SIZE) * METER_LINE;
    const { wanted } = this;
    const single = this.classes.length > 1 && wanted > width;
    const height = (Meter, share) => Math.ceil(Meter.lines(Math.min(Meter.widest, share)) * line);
    if (wanted <= width) return Math.max(0, ...this.cards.map(({ Meter }) => height(Meter, (Meter.basis / (wanted || 1)) * width)));
    // One meter at a time, of each side, beside one another or below.
    const heights = this.classes.map((Meter) => {
      const n = this.cards.filter((card) => card.Meter === Meter).length;
      const beside = n * (Meter.basis + METER_GAP) - METER_GAP <= width;
      return beside ? height(Meter, width / n) : n * height(Meter, width) + (n - 1) * METER_BETWEEN;
    });
    return Math.max(0, ...heights) + (single ? METER_STRIP : 0);
  }

  least(width) {
    return Math.min(LEAST_METERS, this.need(width));
  }

  resize(width, height) {
    this.tabbed = this.classes.length > 1 && this.wanted > width;
    this.strip.hidden = !this.tabbed;
    const taken = Math.min(height, this.need(width));
    this.list.style.height = `${taken - (this.tabbed ? METER_STRIP : 0)}px`;
    this.draw();
    return taken;
  }
}
