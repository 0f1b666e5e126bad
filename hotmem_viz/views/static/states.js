// The states of sections in words: which a recording uses, which sections are in which. Pure.

import { ownSection } from "./cells.js";

const MOST_RUNS = 4;

/** The looks of all states that a recording ever uses, in order of id; none where it has no states. */
export function statesUsed({ arrays, sectionStates }) {
  const keys = arrays["sections.keys"];
  if (!keys) return [];
  const used = new Set(keys);
  // A state may live and die between two key frames: then only the runs know of it.
  const [offsets, start, length, flip] = ["offsets", "start", "length", "flip"].map((n) => arrays[`sections.${n}`]);
  const sections = keys.length / arrays["sections.key_ticks"].length;
  const state = keys.slice(0, sections);
  for (let run = offsets[0]; run < offsets.at(-1); run++) {
    for (let i = start[run]; i < start[run] + length[run]; i++) used.add((state[i] ^= flip[run]));
  }
  return sectionStates.filter(({ id }) => used.has(id));
}

/** How many sections are in each state, by id. */
export function countStates(states, sectionStates) {
  const counts = new Array(sectionStates.length).fill(0);
  for (const state of states ?? []) counts[state] += 1;
  return counts;
}

/** [3, 4, 5, 9] -> "3 – 5 and 9"; of many runs only how many sections there are. */
function listSections(numbers) {
  const runs = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  if (runs.length > MOST_RUNS) return `${numbers.length} sections`;
  const words = runs.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`));
  const listed = words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words[0];
  return `section${numbers.length > 1 ? "s" : ""} ${listed}`;
}

/**
 * What is not plainly online, for who cannot see the frames: "section 37 stopped; section 45 target".
 *
 * shown: of several boots, how many have booted; sections of later ones are left out.
 */
export function statesInWords({ meta, sectionStates }, states, shown = Infinity) {
  if (!states) return "";
  const curtain = meta.boots?.[shown]?.first_pfn ?? Infinity;
  const found = new Map();
  meta.sections.forEach((section, i) => {
    const look = sectionStates[states[i]];
    if (!look || look.line === "none" || section * meta.machine.section_pages >= curtain) return;
    if (!found.has(look)) found.set(look, []);
    found.get(look).push(ownSection(meta, section));
  });
  return [...found].map(([look, numbers]) => `${listSections(numbers)} ${look.label}`).join("; ");
}
