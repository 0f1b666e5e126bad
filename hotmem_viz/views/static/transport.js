// Time as a state machine: no clock, no screen. Every function returns a new state.

import { clamp } from "./format.js";

export const SPEEDS = [0.125, 0.25, 0.5, 1, 2, 4, 8];
const DEFAULT_SECONDS = 22;
const SLOWEST = 2;
const FASTEST = 60;
const SHORTEST_FLIGHT = 190;
const LONGEST_FLIGHT = 900;

/** A paused transport at tick 0. `marks`: ascending ticks that page keys jump to. */
export function makeTransport(ticks, marks) {
  return { tick: 0, ticks, marks, playing: false, speed: 1, loop: false, owed: 0 };
}

/** The transport of a new run: paused where the one before was, as a share of the run. */
export function carryTransport(before, ticks, marks) {
  const share = before.ticks > 1 ? before.tick / (before.ticks - 1) : 0;
  const { speed, loop } = before;
  return seekTick({ ...makeTransport(ticks, marks), speed, loop }, share * (ticks - 1));
}

/** Ticks a second at speed 1, so that a whole run takes some twenty seconds. */
export function baseRate(ticks) {
  return clamp(ticks / DEFAULT_SECONDS, SLOWEST, FASTEST);
}

/** Ticks a second at which a transport moves; 0 while it is paused. */
export const tickRate = ({ playing, ticks, speed }) => (playing ? baseRate(ticks) * speed : 0);

/** Milliseconds that pages may fly in one step: until the next one, but not too long; 0: too fast for it. */
export function flightTime(state) {
  const perTick = 1000 / tickRate(state);
  return perTick < SHORTEST_FLIGHT ? 0 : Math.min(LONGEST_FLIGHT, perTick * 0.95);
}

export function seekTick(state, tick) {
  const bounded = clamp(Math.round(tick), 0, state.ticks - 1);
  return { ...state, tick: bounded, owed: 0 };
}

/** Let `milliseconds` pass: only a playing transport moves. */
export function advanceTime(state, milliseconds) {
  if (!state.playing) return state;
  const owed = state.owed + (milliseconds / 1000) * baseRate(state.ticks) * state.speed;
  const whole = Math.floor(owed);
  if (whole === 0) return { ...state, owed };
  const last = state.ticks - 1;
  const target = state.tick + whole;
  if (target < last || (target === last && state.loop)) {
    return { ...state, tick: target, owed: owed - whole };
  }
  if (!state.loop) return { ...state, tick: last, owed: 0, playing: false };
  return { ...state, tick: (target - last - 1) % state.ticks, owed: owed - whole };
}

const pauseAt = (state, tick) => ({ ...seekTick(state, tick), playing: false });

function togglePlay(state) {
  if (state.playing) return { ...state, playing: false, owed: 0 };
  const atEnd = state.tick === state.ticks - 1;
  return { ...state, playing: state.ticks > 1, tick: atEnd ? 0 : state.tick, owed: 0 };
}

function changeSpeed(state, by) {
  const i = SPEEDS.indexOf(state.speed);
  return { ...state, speed: SPEEDS[clamp(i + by, 0, SPEEDS.length - 1)] };
}

const TRANSPORT_ACTIONS = {
  toggle: togglePlay,
  first: (state) => pauseAt(state, 0),
  last: (state) => pauseAt(state, state.ticks - 1),
  back: (state) => pauseAt(state, state.tick - 1),
  step: (state) => pauseAt(state, state.tick + 1),
  previousMark: (state) =>
    pauseAt(state, state.marks.filter((mark) => mark < state.tick).at(-1) ?? 0),
  nextMark: (state) =>
    pauseAt(state, state.marks.find((mark) => mark > state.tick) ?? state.ticks - 1),
  slower: (state) => changeSpeed(state, -1),
  faster: (state) => changeSpeed(state, 1),
  loop: (state) => ({ ...state, loop: !state.loop }),
};

/** Apply one named action, for example "toggle" or "nextMark". */
export function applyAction(state, action) {
  return TRANSPORT_ACTIONS[action](state);
}

const KEY_ACTIONS = {
  " ": "toggle",
  k: "toggle",
  ArrowRight: "step",
  ArrowDown: "step",
  ArrowLeft: "back",
  ArrowUp: "back",
  PageDown: "nextMark",
  PageUp: "previousMark",
  Home: "first",
  End: "last",
  "+": "faster",
  "-": "slower",
  o: "loop",
};

/** The action of a key, or undefined; keys with Ctrl, Alt or Meta belong to the browser. */
export function actionOfKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  return KEY_ACTIONS[event.key];
}
