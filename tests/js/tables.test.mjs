import assert from "node:assert/strict";
import test from "node:test";

import { TableIndex } from "../../hotmem_viz/views/static/tables.js";
import { firstAbove } from "../../hotmem_viz/views/static/tracks.js";
import { growTree, layOutTrees, nextPlace, placeAt } from "../../hotmem_viz/views/static/treelayout.js";
import { countTables, tableFacts, walkWords } from "../../hotmem_viz/views/static/treewords.js";
import { loadRecording, loadTruth } from "./fixtures.mjs";

const NAMES = ["4-level", "5-level", "pae", "2-level", "walk", "many", "starved"].map((name) => `tables-${name}`);

/** A walk over all ticks, forwards, backwards and about. */
function wander(ticks) {
  const forwards = [...Array(ticks).keys()];
  return [...forwards, ...forwards.toReversed(), ...forwards.map((tick) => (tick * 7) % ticks)];
}

for (const name of NAMES) {
  test(`${name}: the state at every tick is that of a replay, in any order of ticks`, async () => {
    const recording = await loadRecording(name);
    const index = new TableIndex(recording);
    const truth = loadTruth(name).ticks;
    assert.equal(truth.length, recording.ticks);
    for (const tick of wander(recording.ticks)) {
      const alive = [];
      for (const life of index.lives) {
        const state = index.stateAt(life, tick);
        if (state?.alive) alive.push([life.table, life.level, state.pfn, state.used]);
      }
      alive.sort((a, b) => a[0] - b[0]);
      assert.deepEqual(alive, truth[tick].alive, `tick ${tick}`);
      assert.equal(index.processes[tick], truth[tick].spaces);
      assert.deepEqual(index.changesAt(tick), truth[tick].changes);
      assert.deepEqual(index.walkAt(tick), truth[tick].walk);
      index.levels.forEach((_, level) => {
        assert.equal(index.knownAt(tick, level), alive.filter((row) => row[1] === level).length);
      });
    }
  });
}

test("what changes at a tick lights up at it alone, what goes is still shown at it", async () => {
  const recording = await loadRecording("tables-4-level");
  const index = new TableIndex(recording);
  const seen = {};
  for (let tick = 0; tick < recording.ticks; tick++) {
    const counts = {};
    for (const life of index.lives) {
      for (const change of index.stateAt(life, tick)?.changes ?? []) counts[change] = (counts[change] ?? 0) + 1;
    }
    for (const [change, n] of Object.entries(index.changesAt(tick))) {
      assert.equal(counts[change] ?? 0, n, `${change} at ${tick}`);
      seen[change] = (seen[change] ?? 0) + n;
    }
  }
  for (const change of ["new", "gone", "visited", "moved", "filled"]) assert.ok(seen[change] > 0, change);
  assert.deepEqual(Object.values(index.totals), Object.keys(index.totals).map((change) => seen[change]));
});

test("a number that is used again has another life, and trees do not mix", async () => {
  const index = new TableIndex(await loadRecording("tables-4-level"));
  const numbers = index.lives.map(({ table }) => table);
  assert.ok(new Set(numbers).size < numbers.length);
  for (const life of index.lives) {
    assert.ok(life.from < life.to);
    assert.equal(life.space, life.root.space);
    if (life.parent) assert.ok(life.parent.from <= life.from && life.to <= life.parent.to && life.parent.level === life.level + 1);
  }
  const places = index.roots.flatMap((root) => [...root.tree]);
  assert.equal(new Set(places).size, index.lives.length);
});

/** How many pairs of boxes lie on one another. */
function overlapping(places) {
  let found = 0;
  places.forEach((a, i) => {
    for (const b of places.slice(i + 1)) {
      const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
      const tall = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
      if (wide > 0.01 && tall > 0.01) found += 1;
    }
  });
  return found;
}

test("trees of every geometry fit their room, and no box lies on another", async () => {
  for (const name of NAMES) {
    const index = new TableIndex(await loadRecording(name));
    const trees = index.rankRoots().slice(0, 60).map((root) => ({ root, labelWidth: 18 }));
    for (const [width, height] of [[880, 190], [430, 150], [1500, 330], [640, 130]]) {
      const box = { width, height, depth: index.levels.length, gutter: 66 };
      const { places, lines, height: tall } = layOutTrees(trees, box);
      assert.ok(places.length > 0, `${name} ${width}`);
      assert.ok(tall <= height, `${name} ${width}: ${tall} of ${height}`);
      for (const place of places) {
        assert.ok(place.x >= 66 - 0.01 && place.x + place.width <= width + 0.01, `${name} ${width}: ${place.x}`);
        assert.ok(place.y >= 0 && place.y + place.height <= tall + 0.01);
        assert.equal(placeAt(places, place.x + place.width / 2, place.y + place.height / 2), place);
        for (const child of place.below) assert.equal(child.slot.level, place.slot.level - 1);
      }
      assert.ok(lines.every(({ levels }) => levels.length === index.levels.length));
      assert.equal(overlapping(places), 0, `${name} ${width}`);
    }
  }
});

test("a tree that is too large is drawn in part, its first tables", async () => {
  const index = new TableIndex(await loadRecording("tables-starved"));
  const [root] = index.roots;
  const whole = growTree(root);
  const part = growTree(root, 9);
  const count = (slot) => slot.children.reduce((sum, child) => sum + count(child), 1);
  assert.equal(count(whole), root.tree.length);
  assert.equal(count(part), 9);
  assert.ok(root.tree.length > 9);
});

test("processes that a walk rewrites come first where not all have room", async () => {
  const index = new TableIndex(await loadRecording("tables-many"));
  const ranked = index.rankRoots();
  const touched = (root) => root.tree.some((life) => life.rows.some((row) => [3, 4].includes(index.change[row])));
  const firstQuiet = ranked.findIndex((root) => !touched(root));
  assert.ok(firstQuiet > 0 && ranked.slice(firstQuiet).every((root) => !touched(root)));
  assert.equal(ranked.length, 300);
});

test("table pages and processes are the counters', where there are any", async () => {
  const recording = await loadRecording("tables-many");
  const index = new TableIndex(recording);
  const { pages, processes } = countTables(index, recording, 20);
  // 300 processes of 64 MiB, one page touched in each 2 MiB: 32 tables of the lowest level each.
  assert.deepEqual([pages, processes], [[300 * 32, 300, 300, 600], 300]);
  const still = { ...recording, hasCounter: () => false };
  assert.deepEqual(countTables(index, still, 20).pages.slice(1), [300, 300, 600]);
});

test("a walk is told with both of its numbers", () => {
  assert.equal(walkWords({ tables: 0, entries: 0, rewritten: 0, tops: 0 }), "");
  assert.equal(
    walkWords({ tables: 3000, entries: 1536000, rewritten: 75, tops: 0 }),
    "The walk reads 1,536,000 entries in 3,000 upper tables and rewrites 75.",
  );
  assert.match(walkWords({ tables: 1, entries: 512, rewritten: 2, tops: 1 }), /1 upper table and rewrites 2; CR3 .* 1 top table /);
});

test("the first place above a value", () => {
  assert.deepEqual([0, 1, 2, 9].map((value) => firstAbove([1, 1, 3], value)), [0, 2, 2, 3]);
});

test("the keyboard goes to the next table in a direction", () => {
  const [a, b, c, d] = [[0, 0], [20, 0], [22, 24], [0, 24]].map(([x, y]) => ({ x, y }));
  const all = [a, b, c, d];
  assert.deepEqual([nextPlace(all, a, 1, 0), nextPlace(all, a, 0, 1), nextPlace(all, c, 0, -1)], [b, d, b]);
  assert.deepEqual([nextPlace(all, a, -1, 0), nextPlace(all, b, 1, 0)], [null, c]);
});

test("a table is told with its frame, its zone, its entries and who points at it", async () => {
  const recording = await loadRecording("tables-walk");
  const index = new TableIndex(recording);
  const life = index.lives.find(({ level, root }) => level === 1 && root.number === 3);
  const tick = life.from;
  const { title, rows, section } = tableFacts(index, recording.meta, { root: life.root, state: { life, ...index.stateAt(life, tick) } });
  const row = life.rows[0];
  const pfn = recording.arrays["tables.pfn"][row];
  assert.equal(title, "PMD table of process 3");
  assert.equal(section, Math.floor(pfn / 1024));
  const facts = Object.fromEntries(rows);
  assert.equal(facts.pfn, pfn.toLocaleString("en-US"));
  // 16 MiB of which a page in each 2 MiB is touched: eight tables below this one.
  assert.equal(facts["entries in use"], "8 of 512");
  assert.equal(facts["found by"], `entry ${recording.arrays["tables.index"][row]} of its PUD table`);
  assert.equal(facts["at this tick"], "new");
  assert.match(facts.zone, /^node [01] · Normal$/);
  const pae = await loadRecording("tables-pae");
  const top = new TableIndex(pae);
  const [root] = top.roots;
  const told = tableFacts(top, pae.meta, { root, state: { life: root, ...top.stateAt(root, root.from) } });
  assert.deepEqual([told.section, told.rows[0][1], Object.fromEntries(told.rows)["found by"]], [-1, "inside a slab page", "CR3"]);
});

test("a number used again without its end having been told is another table all the same", () => {
  // Table 7 is first heard of when it moves; its process ends untold, and the number is used again.
  const rows = [
    [1, 3, 0, 0, 1, -1, 0, 50, 1],
    [2, 7, 4, 0, 0, 3, 9, 60, 4],
    [3, 3, 1, 0, 1, -1, 0, 50, 1],
    [3, 4, 0, 1, 1, -1, 0, 51, 1],
    [4, 7, 0, 1, 0, 4, 2, 70, 1],
  ];
  const names = ["tick", "table", "change", "space", "level", "parent", "index", "pfn", "used"];
  const arrays = Object.fromEntries(names.map((name, i) => [`tables.${name}`, Int32Array.from(rows, (row) => row[i])]));
  const index = new TableIndex({ arrays, meta: {}, ticks: 6 });
  const sevens = index.lives.filter(({ table }) => table === 7);
  assert.deepEqual(sevens.map(({ from, to, space }) => [from, to, space]), [[2, 3, 0], [4, 6, 1]]);
  assert.deepEqual([2, 3, 5].map((tick) => index.stateAt(sevens[0], tick)?.alive ?? null), [true, false, null]);
  assert.deepEqual(index.stateAt(sevens[0], 3).changes, ["gone"]);
  assert.deepEqual([0, 1, 2, 3, 4].map((tick) => index.knownAt(tick, 0)), [0, 0, 1, 0, 1]);
  assert.equal(index.levels.length, 2);
});
