import assert from "node:assert/strict";
import test from "node:test";

import { readLink, splitFragment, writeLink } from "../../hotmem_viz/views/static/linkstate.js";
import { loadTruth } from "./fixtures.mjs";

const { read, hostile, written } = loadTruth("links");
const USUAL = { scenario: null, beside: null, tick: 0, theme: "auto" };

/** What a stage shows, as far as links go. */
const shownOf = (metas, by = "objects") => ({ recordings: metas.map((meta) => ({ meta })), by });

const DEFAULTS = { obstacle: "nothing", user: 0.4, movable: null, callbacks: false, seed: 7 };
const HERE = shownOf([
  { scenario: "hot_remove", parameters: { ...DEFAULTS, obstacle: "pin", movable: 0.25 }, defaults: DEFAULTS },
]);

test("what Python reads is read alike", () => {
  assert.ok(read.length > 5);
  for (const { text, parts } of read) {
    const { parameters, ...said } = splitFragment(text);
    const { parameters: wanted = {}, ...rest } = parts;
    assert.deepEqual(said, { ...USUAL, ...rest }, text);
    assert.deepEqual([...parameters], Object.entries(wanted), text);
  }
});

test("what Python refuses is refused alike", () => {
  assert.ok(hostile.length > 20);
  for (const { text, error: [name, allowed] } of hostile) {
    const label = text.slice(0, 40);
    assert.throws(() => splitFragment(text), (error) => {
      assert.deepEqual([error.parameter, error.allowed], [name, allowed], label);
      assert.ok(error.message.length < 300 && !/[\n\r]/.test(error.message), label);
      return true;
    }, label);
  }
});

test("links are written as Python writes them", () => {
  for (const { metas, by, tick, theme, text } of written) {
    assert.equal(writeLink(shownOf(metas, by), tick, theme), text);
  }
});

test("a page's own link leads to its tick, however the numbers are written", () => {
  const own = writeLink(HERE, 3, "dark");
  assert.equal(own, "scenario=hot_remove&obstacle=pin&movable=0.25&seed=7&tick=3&theme=dark");
  assert.deepEqual(readLink(own, HERE, 4), { tick: 3, theme: "dark" });
  const typed = "#obstacle=pin&movable=.250&user=4e-1&callbacks=false&tick=3";
  assert.deepEqual(readLink(typed, HERE, 4), { tick: 3, theme: "auto" });
  assert.deepEqual(readLink("#tick=2", HERE, 4), { tick: 2, theme: "auto" });
});

test("a link to another run says what is another one here", () => {
  const words = (text) => {
    try {
      readLink(text, HERE, 4);
    } catch (error) {
      return error.message;
    }
    return "";
  };
  const other = "This page holds another run: here,";
  assert.equal(words("#scenario=exhaustion"), `${other} scenario is 'hot_remove', not 'exhaustion'`);
  assert.equal(words("#scenario=hot_remove&movable=0.25"), `${other} obstacle is 'pin', not 'nothing'`);
  assert.equal(words("#obstacle=<b>&movable=0.25"), `${other} obstacle is 'pin', not '<b>'`);
  assert.equal(words("#obstacle=pin"), `${other} movable is '0.25', not 'none'`);
  assert.equal(words("#obstacle=pin&movable=0.25&seed=NaN"), `${other} seed is '7', not 'NaN'`);
  assert.equal(words("#beside=7.2"), `${other} beside is no second run, not '7.2'`);
  assert.equal(words("#tick=4"), "tick: '4' is not allowed; a whole number from 0 to 3 is needed");
  assert.match(words("#constructor=1"), /^constructor: '1' is not allowed; parameters are obstacle, /);
  assert.match(words(`#a\u202e=${"y".repeat(1000)}`), /^a\?: 'y{157}\.\.\.' is not allowed; /);
});

test("two kernels are one run; a third is another", () => {
  const { metas, tick, text } = written[1];
  assert.deepEqual(readLink(text, shownOf(metas), 9), { tick, theme: "auto" });
  assert.throws(() => readLink(text.replace("7.2", "6.12"), shownOf(metas), 9), /beside is '7.2', not '6.12'/);
  assert.throws(() => readLink(text.replace("&beside=7.2", ""), shownOf(metas), 9), /not no second run/);
});

test("two strategies are one run by steps, whatever else has to be alike", () => {
  const usual = { strategy: "none", seed: 7 };
  const side = (parameters) => ({ meta: { scenario: "strategies", parameters: { ...usual, ...parameters }, defaults: usual } });
  const shown = { recordings: [side({ strategy: "auto" }), side({ strategy: "remap" })], by: "step" };
  const own = "scenario=strategies&strategy=auto&seed=7&beside=remap&tick=4";
  assert.equal(writeLink(shown, 4, "auto"), own);
  assert.deepEqual(readLink(own, shown, 5), { tick: 4, theme: "auto" });
  assert.throws(() => readLink(own.replace("remap", "none"), shown, 5), /beside is 'remap', not 'none'/);
  assert.equal(writeLink({ ...shown, by: "objects" }, 4, "auto"), "");
  const other = [shown.recordings[0], side({ strategy: "remap", seed: 8 })];
  assert.equal(writeLink({ ...shown, recordings: other }, 4, "auto"), "");
});
