// When CPUs stood still, in which parts, and where that is drawn. Pure.
//
// Spans start at 0 ns in every tick, so a stop of several ticks is summed over them.

import { RowTrack } from "./tracks.js";

export const CPU_STATES = ["running", "PREPARE", "DISABLE_IRQ", "RUN", "EXIT", "waiting"];

const [RUNNING, PREPARE, DISABLE_IRQ, , EXIT] = CPU_STATES.keys();
const ARRIVING = new Set([RUNNING, PREPARE, DISABLE_IRQ]);
const PHASES = ["arrive", "work", "exit"];
const WORDS_OF_PHASES = { arrive: "all CPUs arrive", work: "working", exit: "flushing TLBs" };
const WORDS_OF_WORK = {
  copied: "copying pages",
  table_written: "writing the map",
  tables_walked: "walking page tables",
  copied_home: "copying home and rewriting",
};

function phaseOf(state) {
  if (ARRIVING.has(state)) return "arrive";
  return state === EXIT ? "exit" : "work";
}

/** What a part of a stop is about: of work the tick's event tells. */
function labelOfPart({ events }, tick, phase) {
  const event = events.find((one) => one.tick === tick && one.kind in WORDS_OF_WORK);
  return phase === "work" && event ? WORDS_OF_WORK[event.kind] : WORDS_OF_PHASES[phase];
}

/** The rows of one tick by phase, in the order in which CPUs go through them: [phase, rows]. */
function splitPhases(rows) {
  const split = PHASES.map((phase) => [phase, rows.filter((row) => phaseOf(row.state) === phase)]);
  return split.filter(([, own]) => own.length > 0);
}

/**
 * All stops of a recording, in order: {first, last, cpus, total, parts}.
 *
 * A part is a phase of a tick, mostly all of it: {tick, label, from, to, spans}, ns since the stop
 * began; a span is {lane, state, from, to}. CPUs that arrive begin a stop.
 */
export function findStops(recording) {
  const track = new RowTrack(recording, "spans");
  const stops = [];
  for (const tick of track.ticks) {
    const rows = track.at(tick);
    const before = stops.at(-1);
    const anew = !before || tick > before.last + 1 || rows.some((row) => row.state === PREPARE);
    const stop = anew ? { first: tick, cpus: 0, total: 0, parts: [] } : before;
    if (anew) stops.push(stop);
    const begin = stop.total;
    for (const [phase, own] of splitPhases(rows)) {
      const from = stop.total;
      const spans = own.map(({ lane, state, start_ns, end_ns }) => ({ lane, state, from: begin + start_ns, to: begin + end_ns }));
      stop.total = spans.reduce((most, span) => Math.max(most, span.to), from);
      stop.cpus = spans.reduce((most, span) => Math.max(most, span.lane + 1), stop.cpus);
      stop.parts.push({ tick, label: labelOfPart(recording, tick, phase), from, to: stop.total, spans });
    }
    stop.last = tick;
  }
  return stops;
}

/** Which stop concerns a tick: the last that has begun, else the first to come; -1 for none. */
export function stopAt(stops, tick) {
  const begun = stops.filter((stop) => stop.first <= tick).length;
  return stops.length === 0 ? -1 : Math.max(0, begun - 1);
}

/** Whether a part is over, going on or yet to come at a tick. */
export function whenOf(stop, part, tick) {
  if (part.tick > tick) return "later";
  return part.tick === tick && tick <= stop.last ? "now" : "past";
}

/** How long the machine has stood still at a tick, in ns of the stop. */
export function stoodStill(stop, tick) {
  return stop.parts.reduce((most, part) => (part.tick <= tick ? part.to : most), 0);
}

/**
 * Where parts begin and end on `width` pixels: (parts + 1) edges.
 *
 * Wide parts share the room as their times do; a part too short to be seen gets `least` pixels.
 */
export function partEdgesOf({ parts }, width, least) {
  const times = parts.map((part) => part.to - part.from);
  const small = new Set();
  let scale = 0;
  for (let i = 0; i <= parts.length; i++) {
    const rest = times.reduce((sum, time, k) => (small.has(k) ? sum : sum + time), 0);
    scale = rest > 0 ? (width - small.size * least) / rest : 0;
    const found = times.findIndex((time, k) => !small.has(k) && time * scale < least);
    if (found < 0) break;
    small.add(found);
  }
  const edges = [0];
  times.forEach((time, k) => edges.push(edges[k] + (small.has(k) ? least : time * scale)));
  return { edges, widened: small };
}

/** Where a time inside a part is drawn, given the part's two edges. */
export function timeToPixel(part, time, left, right) {
  const length = part.to - part.from;
  return length > 0 ? left + ((time - part.from) / length) * (right - left) : left;
}

/** Spans whose lanes lie side by side and whose times agree, as one: {first, last, state, from, to}. */
export function joinLanes(spans) {
  const joined = [];
  for (const { lane, state, from, to } of spans) {
    const top = joined.at(-1);
    if (top && top.last + 1 === lane && top.state === state && top.from === from && top.to === to) top.last = lane;
    else joined.push({ first: lane, last: lane, state, from, to });
  }
  return joined;
}

/** Height of a lane, the gap between two, and which lanes are named, for `height` pixels. */
export function laneRows(cpus, height, text, tallest) {
  const pitch = Math.min(tallest, height / cpus);
  const gap = pitch >= 9 ? 3 : pitch >= 5 ? 1 : 0;
  const every = Math.max(1, Math.ceil((text + 2) / pitch));
  const named = [];
  for (let lane = 0; lane < cpus; lane += every) named.push(lane);
  return { pitch, gap, named, height: pitch * cpus };
}

/** What is said beside the pause at a tick; at: which of so many stops it is. */
export function sayPause(stop, tick, { at, stops, basis }) {
  const which = stops > 1 ? `stop ${at + 1} of ${stops}, ` : "";
  const whole = formatPause(stop.total);
  if (tick < stop.first) return `${which}the machine still runs; the pause will be ${whole}, ${basis}`;
  const inside = tick <= stop.last && stoodStill(stop, tick) < stop.total;
  return inside ? `of a pause of ${whole}, ${which}${basis}` : `pause, ${which}${basis}`;
}

/** How many lines words take, given how wide each is, the first with `taken` of it in use. */
export function countLines(widths, space, width, taken = 0) {
  let lines = 1;
  let x = taken;
  for (const word of widths) {
    if (x > 0 && x + space + word > width) {
      lines += 1;
      x = word;
    } else x += (x > 0 ? space : 0) + word;
  }
  return lines;
}

/** A time as the captions write it: ms from a tenth of one on. */
export function formatPause(ns) {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(2)} s`;
  if (ns >= 1e5) return `${(ns / 1e6).toFixed(2)} ms`;
  return ns >= 1e3 ? `${(ns / 1e3).toFixed(1)} µs` : `${ns.toFixed(0)} ns`;
}
