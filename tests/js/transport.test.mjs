import assert from "node:assert/strict";
import test from "node:test";

import {
  actionOfKey,
  advanceTime,
  applyAction,
  baseRate,
  carryTransport,
  makeTransport,
  seekTick,
  SPEEDS,
} from "../../hotmem_viz/views/static/transport.js";

const start = (change = {}) => ({ ...makeTransport(300, [0, 40, 120, 299]), ...change });

test("it opens paused at tick 0", () => {
  const { tick, playing, loop, speed } = start();
  assert.deepEqual({ tick, playing, loop, speed }, { tick: 0, playing: false, loop: false, speed: 1 });
});

test("a run of 300 ticks plays in 20 to 25 seconds", () => {
  let state = applyAction(start(), "toggle");
  let seconds = 0;
  while (state.playing) {
    state = advanceTime(state, 16);
    seconds += 0.016;
  }
  assert.ok(seconds > 20 && seconds < 25, `${seconds} s`);
  assert.equal(state.tick, 299);
});

test("rates stay between watchable bounds", () => {
  assert.equal(baseRate(3), 2);
  assert.equal(baseRate(1e6), 60);
  assert.ok(SPEEDS.at(-1) * baseRate(300) > 60);
});

test("time that is too short for a tick is not lost", () => {
  let state = applyAction(start({ ticks: 44 }), "toggle");
  for (let i = 0; i < 100; i++) state = advanceTime(state, 10);
  assert.equal(state.tick, 2);
});

test("a paused transport does not move", () => {
  assert.equal(advanceTime(start({ tick: 7 }), 1e6).tick, 7);
});

test("at the end it pauses, or loops when asked to", () => {
  const atEnd = advanceTime(start({ tick: 298, playing: true }), 1e4);
  assert.deepEqual([atEnd.tick, atEnd.playing], [299, false]);
  const looped = advanceTime(start({ tick: 299, playing: true, loop: true }), 200);
  assert.deepEqual([looped.tick < 5, looped.playing], [true, true]);
});

test("play at the last tick starts over", () => {
  const state = applyAction(start({ tick: 299 }), "toggle");
  assert.deepEqual([state.tick, state.playing], [0, true]);
});

test("steps, marks and ends pause and stay inside", () => {
  const go = (tick, action) => applyAction(start({ tick, playing: true }), action);
  const cases = [
    [5, "step", 6],
    [299, "step", 299],
    [5, "back", 4],
    [0, "back", 0],
    [5, "nextMark", 40],
    [40, "nextMark", 120],
    [299, "nextMark", 299],
    [121, "previousMark", 120],
    [120, "previousMark", 40],
    [0, "previousMark", 0],
    [77, "first", 0],
    [77, "last", 299],
  ];
  for (const [from, action, to] of cases) {
    const state = go(from, action);
    assert.deepEqual([state.tick, state.playing], [to, false], `${action} from ${from}`);
  }
});

test("without marks the mark keys go to the ends", () => {
  const state = start({ marks: [], tick: 9 });
  assert.equal(applyAction(state, "nextMark").tick, 299);
  assert.equal(applyAction(state, "previousMark").tick, 0);
});

test("speed has a slowest and a fastest", () => {
  let state = start();
  for (let i = 0; i < 20; i++) state = applyAction(state, "faster");
  assert.equal(state.speed, SPEEDS.at(-1));
  for (let i = 0; i < 20; i++) state = applyAction(state, "slower");
  assert.equal(state.speed, SPEEDS[0]);
});

test("seeking rounds and stays inside", () => {
  assert.deepEqual([-4, 3.6, 1e9].map((tick) => seekTick(start(), tick).tick), [0, 4, 299]);
});

test("keys of the contract, and none that belong to the browser", () => {
  const keys = { " ": "toggle", ArrowRight: "step", ArrowLeft: "back", PageDown: "nextMark", PageUp: "previousMark", Home: "first", End: "last" };
  for (const [key, action] of Object.entries(keys)) assert.equal(actionOfKey({ key }), action);
  assert.equal(actionOfKey({ key: "x" }), undefined);
  assert.equal(actionOfKey({ key: "Home", ctrlKey: true }), undefined);
});

test("a recording of one tick cannot play", () => {
  assert.equal(applyAction(makeTransport(1, []), "toggle").playing, false);
});

test("a new run is entered paused, at the same share, with the same speed and loop", () => {
  const before = start({ tick: 150, playing: true, speed: 4, loop: true, ticks: 301 });
  const { tick, playing, speed, loop, marks } = carryTransport(before, 101, [7]);
  assert.deepEqual([tick, playing, speed, loop, marks], [50, false, 4, true, [7]]);
});
