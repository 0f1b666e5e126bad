// How the states of CPUs look: colours, hatches, words.

import { makeElement, makeId, makeSvg } from "./dom.js";

/** What is written of each state, in one word. */
export const STATE_WORDS = {
  running: "runs",
  PREPARE: "PREPARE",
  DISABLE_IRQ: "DISABLE_IRQ",
  RUN: "RUN",
  EXIT: "EXIT",
  waiting: "spins",
};

/** The order of the key: so that it fills two lines evenly. */
export const KEY_ORDER = ["running", "PREPARE", "RUN", "DISABLE_IRQ", "waiting", "EXIT"];

/** What a CPU does in each state. */
export const STATE_TELLS = {
  running: "still runs what it ran before",
  PREPARE: "PREPARE: its stopper thread has the CPU and waits for the others",
  DISABLE_IRQ: "DISABLE_IRQ: interrupts off, waits for the others",
  RUN: "RUN: does the work",
  EXIT: "EXIT: flushes its own TLB and goes on",
  waiting: "spins, interrupts off, until the work is done",
};

/** Rectangles of a state: its colour, and the hatch that tells it apart without colour. */
export function stateRects(size, state, hatches) {
  const name = state.toLowerCase();
  return [
    makeSvg("rect", { ...size, class: `hotmem-cpu-${name}` }),
    ...(name in hatches.ids ? [makeSvg("rect", { ...size, fill: `url(#${hatches.ids[name]})` })] : []),
  ];
}

export function makeStateKey(state, hatches) {
  const svg = makeSvg("svg", { width: 18, height: 13 });
  svg.append(...stateRects({ x: 0, y: 0, width: 18, height: 13 }, state, hatches));
  return makeElement("span", "", {}, [svg, STATE_WORDS[state]]);
}

/** The hatches of the states: {el, ids}; drawings next to `el` may use them. */
export function makeHatches() {
  const lines = {
    prepare: "M0 6 6 0M-1 1 1-1M5 7 7 5",
    disable_irq: "M0 6 6 0M0 0 6 6",
    exit: "M3 0V6",
    waiting: "M2 3H4",
  };
  const ids = Object.fromEntries(Object.keys(lines).map((name) => [name, makeId(`hatch-${name}`)]));
  const patterns = Object.entries(lines).map(([name, d]) => {
    const pattern = makeSvg("pattern", { id: ids[name], width: 6, height: 6, patternUnits: "userSpaceOnUse" });
    pattern.append(makeSvg("path", { d, class: "hotmem-hatch-line" }));
    return pattern;
  });
  const el = makeSvg("svg", { width: 0, height: 0, "aria-hidden": "true", class: "hotmem-hatches" });
  el.append(...patterns);
  return { el, ids };
}
