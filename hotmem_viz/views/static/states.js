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

/**
 * Sections by the state they are in now: {id: [section, ...]}.
 *
 * shown: of several boots, how many have booted; sections of later ones are left out.
 */
export function sectionsByState({ meta }, states, shown = Infinity) {
  const curtain = meta.boots?.[shown]?.first_pfn ?? Infinity;
  const found = new Map();
  states?.forEach((state, i) => {
    if (meta.sections[i] * meta.machine.section_pages >= curtain) return;
    if (!found.has(state)) found.set(state, []);
    found.get(state).push(meta.sections[i]);
  });
  return found;
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

/** What is not plainly online, for who cannot see the frames: "section 37 stopped; section 45 target". */
export function statesInWords(recording, states, shown = Infinity) {
  const { meta, sectionStates } = recording;
  const told = [...sectionsByState(recording, states, shown)].filter(([id]) => sectionStates[id]?.line !== "none");
  return told
    .map(([id, sections]) => {
      const numbers = sections.map((section) => ownSection(meta, section));
      return `${listSections(numbers)} ${sectionStates[id]?.label ?? `in state ${id}`}`;
    })
    .join("; ");
}
