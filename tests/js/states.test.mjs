import assert from "node:assert/strict";
import test from "node:test";

import { badgeSpot, frameSize } from "../../hotmem_viz/views/static/frames.js";
import { Scene } from "../../hotmem_viz/views/static/scene.js";
import { movesInWords } from "../../hotmem_viz/views/static/sectionlegend.js";
import { sectionsByState, statesInWords, statesUsed } from "../../hotmem_viz/views/static/states.js";
import { describeCell } from "../../hotmem_viz/views/static/tooltip.js";
import { loadRecording, loadTruth } from "./fixtures.mjs";

test("states follow the tick in both directions", async () => {
  const recording = await loadRecording("moving");
  const { states } = loadTruth("moving");
  const scene = new Scene(recording);
  for (const tick of [0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 6, 2, 5, 0]) {
    scene.seek(tick);
    assert.deepEqual([...scene.states], states[tick], `tick ${tick}`);
  }
  assert.equal(new Scene(await loadRecording("tiny")).states, null);
});

test("the legend lists the states that a run uses, also those between key frames", async () => {
  const used = statesUsed(await loadRecording("moving"));
  assert.deepEqual(used.map((look) => look.name), ["absent", "offline", "online", "going_offline", "target"]);
  assert.deepEqual(statesUsed(await loadRecording("tiny")), []);
});

test("states are said in words, plain ones not at all", async () => {
  const recording = await loadRecording("moving");
  const { states } = loadTruth("moving");
  assert.equal(statesInWords(recording, states[0]), "section 6 absent");
  assert.equal(statesInWords(recording, states[3]), "section 1 going offline; section 5 target; section 6 absent");
  assert.equal(statesInWords(recording, [1, 1, 2, 1, 2]), "sections 0 to 1 and 5 offline");
  assert.equal(statesInWords(recording, null), "");
  const boots = [{ first_pfn: 0 }, { first_pfn: 4 * 3072 }];
  const twice = { ...recording, meta: { ...recording.meta, boots } };
  assert.equal(statesInWords(twice, states[3], 1), "section 1 going offline");
  assert.equal(statesInWords(twice, states[3], 2), "section 1 going offline; section 1 target; section 2 absent");
});

test("sections are found by state, those of later boots are not", async () => {
  const recording = await loadRecording("moving");
  assert.deepEqual([...sectionsByState(recording, [2, 3, 2, 2, 0])], [[2, [0, 2, 5]], [3, [1]], [0, [6]]]);
  const boots = [{ first_pfn: 0 }, { first_pfn: 4 * 3072 }];
  const twice = { ...recording, meta: { ...recording.meta, boots } };
  assert.deepEqual([...sectionsByState(twice, [2, 3, 2, 2, 0], 1)], [[2, [0, 2]], [3, [1]]]);
  assert.equal(sectionsByState(recording, null).size, 0);
});

test("a page of a later boot is told by its own pfn, section and address, and its section's state", async () => {
  const recording = await loadRecording("moving");
  const boots = [{ first_pfn: 0 }, { first_pfn: 4 * 3072 }];
  const twice = { ...recording, meta: { ...recording.meta, boots } };
  const scene = new Scene(recording);
  scene.seek(3);
  const cell = 3 * 3072 + 11;
  const plain = describeCell(recording, scene.tracks, cell);
  const own = describeCell(twice, scene.tracks, cell);
  assert.deepEqual([plain.pfn, plain.section, plain.page], [5 * 3072 + 11, 5, 11]);
  assert.deepEqual([own.pfn, own.section, own.page], [3072 + 11, 1, 11]);
  assert.equal(own.address, `0x${((3072 + 11) * 4096).toString(16)}`);
  assert.deepEqual([own.state.name, own.zone.zone], ["target", plain.zone.zone]);
});

test("a frame lies in the gap as far as that reaches", () => {
  const size = (blockWidth, gap, dpr) => frameSize({ blockWidth, blockHeight: blockWidth, gap, dpr });
  assert.deepEqual(size(60, 8, 1), { thick: 3, outside: 3 });
  assert.deepEqual(size(46, 5, 1), { thick: 3, outside: 2 });
  assert.deepEqual(size(9, 1, 1), { thick: 2, outside: 0 });
  assert.deepEqual(size(92, 10, 2), { thick: 6, outside: 5 });
});

test("a state is named where that hides no page, by its letter where the word has no room", () => {
  const widthOf = (text) => text.length * 9;
  const spot = (blockWidth, veil, numberLine) =>
    badgeSpot({ blockWidth, blockHeight: 64, numberLine, labelSize: 14 }, { veil, label: "offline", short: "O" }, 27, widthOf);
  assert.equal(spot(120, "rising", 0).text, "offline");
  assert.equal(spot(46, "rising", 0).text, "O");
  assert.equal(spot(120, "none", 18).text, "offline");
  assert.ok(spot(120, "none", 18).y < 0);
  assert.deepEqual([spot(50, "none", 18).text, spot(50, "none", 18).y < 0], ["O", true]);
  assert.deepEqual([spot(46, "none", 0).text, spot(46, "none", 0).y], ["O", 0]);
  assert.equal(spot(20, "none", 0), null);
});

test("moves are said in words, with how many of them are drawn", () => {
  const side = (letter, pages, drawn, back = false) => ({ letter, moved: { pages, drawn, back } });
  assert.equal(movesInWords([side("A", 1024, 64)]), "1,024 pages move, 64 drawn");
  assert.equal(movesInWords([side("A", 12, 12, true)]), "12 pages move back");
  assert.equal(movesInWords([side("A", 1, 0)]), "1 page moves");
  assert.equal(movesInWords([side("A", 0, 0)]), "no page moves at this tick");
  assert.equal(movesInWords([{ letter: "A", moved: null }]), "no page moves at this tick");
  assert.equal(movesInWords([side("A", 128, 64), side("B", 200, 64)]), "A 128, B 200 move, 128 drawn");
  assert.equal(movesInWords([side("A", 0, 0), side("B", 200, 0)]), "B 200 move");
});
