import assert from "node:assert/strict";
import test from "node:test";

import { KernelLink } from "../../hotmem_viz/views/static/link.js";

globalThis.document = { hidden: false };

/** A model that keeps what is sent; `answer` decides whether a ping is answered. */
function fakeModel({ answers = true, sends = true } = {}) {
  const model = {
    answers,
    sent: [],
    had: [],
    saved: [],
    values: { tick: 0, busy: false },
    get: (name) => model.values[name],
    set: (name, value) => { model.values[name] = value; },
    save_changes: () => model.saved.push(model.values.tick),
    on: (name, handler) => { model.handler = handler; },
  };
  if (sends) {
    model.send = (message) => {
      if (message.type === "have") {
        model.had.push(message);
        return;
      }
      model.sent.push(message);
      if (model.answers) model.handler({ type: "pong" });
    };
  }
  return model;
}

function makeLink(t, model) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const seen = { playing: false, hidden: false, attached: [] };
  const link = new KernelLink(model, {
    isPlaying: () => seen.playing,
    isHidden: () => seen.hidden,
    onAttached: (attached) => seen.attached.push(attached),
  });
  t.after(() => link.stop());
  const wait = (ms) => {
    // In small steps, because a timer that is set by a timer counts from the step's end.
    for (let passed = 0; passed < ms; passed += 50) t.mock.timers.tick(50);
  };
  return { link, seen, wait };
}

test("a stage says once, as soon as it listens, what it has", (t) => {
  const model = fakeModel();
  Object.assign(model.values, { run: 3, theme: "dark", error: "", address: "wait", chart: {} });
  let listening = false;
  model.on = () => { listening = true; };
  const send = model.send;
  model.send = (message) => {
    assert.ok(listening, "an answer would be missed");
    send(message);
  };
  const { wait } = makeLink(t, model);
  const has = { type: "have", run: 3, theme: "dark", error: "", address: "wait", busy: false, charted: false };
  assert.deepEqual(model.had, [has]);
  wait(1000);
  assert.equal(model.had.length, 1);
});

test("nothing goes to the kernel while playing", (t) => {
  const model = fakeModel();
  const { link, seen, wait } = makeLink(t, model);
  link.settle(3);
  seen.playing = true;
  for (let tick = 4; tick < 200; tick++) {
    link.settle(tick);
    wait(1000);
  }
  assert.deepEqual([model.sent, model.saved], [[], []]);
});

test("a tick is saved once it has stood still, and only if it is another one", (t) => {
  const model = fakeModel();
  const { link, wait } = makeLink(t, model);
  for (const tick of [1, 2, 3]) {
    link.settle(tick);
    wait(50);
  }
  assert.deepEqual(model.saved, []);
  wait(1000);
  link.settle(3);
  wait(1000);
  assert.deepEqual(model.saved, [3]);
});

test("a kernel that answers is attached; one that stops answering is not, until it does", (t) => {
  const model = fakeModel();
  const { seen, wait } = makeLink(t, model);
  wait(5000);
  assert.deepEqual(seen.attached, [true]);
  model.answers = false;
  wait(30000);
  assert.equal(seen.attached.at(-1), false);
  model.answers = true;
  wait(11000);
  assert.equal(seen.attached.at(-1), true);
});

test("a kernel that is known to be busy is not asked", (t) => {
  const model = fakeModel({ answers: false });
  model.values.busy = true;
  const { seen, wait } = makeLink(t, model);
  wait(60000);
  assert.deepEqual([model.sent, seen.attached], [[], []]);
});

test("a stage in a tab that is not open asks nothing, but its tick is saved", (t) => {
  const model = fakeModel();
  const { link, seen, wait } = makeLink(t, model);
  seen.hidden = true;
  link.settle(6);
  wait(60000);
  assert.deepEqual([model.sent, model.saved], [[], [6]]);
  seen.hidden = false;
  wait(11000);
  assert.equal(model.sent.length, 1);
});

test("an exported page has nobody to ask and is never detached", (t) => {
  const model = fakeModel({ sends: false });
  const { link, seen, wait } = makeLink(t, model);
  link.settle(5);
  wait(60000);
  assert.deepEqual([seen.attached, model.saved], [[], []]);
});

test("a connection that throws counts as lost", (t) => {
  const model = fakeModel();
  model.send = () => { throw new Error("closed"); };
  const { seen, wait } = makeLink(t, model);
  wait(5000);
  assert.equal(seen.attached[0], false);
});

test("a value that is chosen here is saved at once", (t) => {
  const model = fakeModel();
  const { link } = makeLink(t, model);
  link.save("tick", 3);
  assert.deepEqual(model.saved, [3]);
});
