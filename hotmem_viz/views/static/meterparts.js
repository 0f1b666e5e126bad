// Parts that several meters are made of: cards, bars, lines of words.

import { makeElement, setText } from "./dom.js";

/** A card with a title, the claim it is about, and parts below. */
export function makeCard(title, claim, parts, classes = "") {
  const heading = makeElement("h4", "meter-title", {}, [title, " ", makeElement("span", "chip", { title: `claim ${claim} of the mail` }, claim)]);
  return makeElement("section", `meter ${classes}`, { role: "group" }, [heading, ...parts]);
}

export const makeWords = () => makeElement("p", "meter-words");

/** A bar of parts by name, each with a look of its own; `set` takes their values and the whole. */
export class MeterBar {
  constructor(names) {
    this.parts = names.map((name) => ({ name, el: makeElement("i", `meter-part meter-${name}`) }));
    this.el = makeElement("div", "meter-bar", { "aria-hidden": "true" }, this.parts.map(({ el }) => el));
  }

  set(values, whole) {
    for (const { name, el } of this.parts) el.style.width = whole ? `${(100 * (values[name] ?? 0)) / whole}%` : "0";
  }
}

/** A row of a meter: a label left, a value right, a bar below. */
export class MeterRow {
  constructor(label, names) {
    this.label = makeElement("span", "meter-label", {}, label);
    this.value = makeElement("span", "meter-value");
    this.bar = new MeterBar(names);
    this.el = makeElement("div", "meter-row", {}, [this.label, this.value, this.bar.el]);
  }

  set(value, values, whole) {
    setText(this.value, value);
    this.bar.set(values, whole);
  }
}
