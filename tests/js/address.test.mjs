import assert from "node:assert/strict";
import test from "node:test";

import {
  deviceAt, groupRows, namesOfLoads, packetFrames, planRows, readingsAt, rowOf, SectionMap,
} from "../../hotmem_viz/views/static/addressgeometry.js";
import { loadRecording, loadTruth } from "./fixtures.mjs";

const ORDERS = [(ticks) => ticks, (ticks) => ticks.toReversed(), (ticks) => ticks.map((t) => (t * 37 + 5) % ticks.length)];

for (const name of ["remapped", "scattered", "home", "corrupted", "aborted"]) {
  test(`${name}: what differs from 1:1 is what the model says, at every tick and in any order`, async () => {
    const map = new SectionMap(await loadRecording(name));
    const { lookup, sections, scattered } = loadTruth(name);
    for (const order of ORDERS) {
      for (const tick of order(lookup.map((_, t) => t))) {
        const moved = sections.filter((section, i) => lookup[tick][i] !== section);
        const found = map.movedAt(tick);
        assert.deepEqual(found.map((one) => one.section), moved, `tick ${tick}`);
        for (const one of found) {
          const to = lookup[tick][sections.indexOf(one.section)];
          assert.equal(one.scattered, to === scattered);
          if (!one.scattered) assert.deepEqual(one.hosts.map((host) => host.section), [to]);
        }
      }
    }
  });
}

test("scattered: pages lie where the model has them, also after some have moved twice", async () => {
  const map = new SectionMap(await loadRecording("scattered"));
  const { hosts } = loadTruth("scattered");
  const last = hosts.length - 1;
  const [first] = map.copies;
  assert.ok(map.copies.some((copy) => copy.tick > first.tick));
  for (const tick of [first.tick, first.tick + 3, last]) {
    const found = map.movedAt(tick).map((one) => [
      String(one.section),
      Object.fromEntries(one.hosts.map((host) => [String(host.section), host.pages])),
    ]);
    assert.deepEqual(Object.fromEntries(found), hosts[tick], `tick ${tick}`);
  }
  assert.ok(Object.values(hosts[first.tick]).some((where) => Object.keys(where).length > 1));
  assert.ok(Object.keys(hosts[last]).length > 1);
});

test("home: what was copied home is nowhere else any more", async () => {
  const recording = await loadRecording("home");
  const map = new SectionMap(recording);
  const home = recording.events.find((event) => event.kind === "copied_home").tick;
  assert.ok(map.piecesAt(home - 1).length > 0);
  assert.deepEqual(map.piecesAt(home), []);
});

test("the section that is asked to go comes first, then those that pages went to", async () => {
  const recording = await loadRecording("remapped");
  const map = new SectionMap(recording);
  const { events, lookup, sections } = loadTruth("remapped");
  const asked = Math.floor(events.find(([, kind]) => kind === "isolated")[2] / map.size);
  const written = events.find(([, kind]) => kind === "table_written")[0];
  assert.deepEqual(map.concerned, [asked, lookup[written][sections.indexOf(asked)]]);
  const vetoed = new SectionMap(await loadRecording("vetoed"));
  assert.equal(vetoed.concerned.length, 1);
  assert.deepEqual(vetoed.movedAt(3), []);
});

test("a recording that moves no section has no map", () => {
  const map = new SectionMap({ arrays: {}, events: [], ticks: 3, meta: { sections: [0, 1], machine: { section_pages: 8 } } });
  assert.deepEqual([map.movedAt(2), map.concerned], [[], []]);
});

test("rows show the concerned sections and their neighbours; the rest collapses and adds up", () => {
  const sections = [...Array(8).keys(), ...Array.from({ length: 56 }, (_, i) => 32 + i)];
  for (const most of [5, 7, 9, 20, 64]) {
    const rows = planRows(sections, [37, 45], most);
    assert.ok(rows.length <= most);
    assert.equal(rows.reduce((sum, row) => sum + row.count, 0), sections.length);
    for (const section of [37, 45]) assert.equal(rows[rowOf(rows, section)].alone, true);
    rows.slice(1).forEach((row, i) => assert.ok(row.first > rows[i].last));
  }
  const names = planRows(sections, [37, 45], 9).map((row) => [row.first, row.last, row.count]);
  assert.deepEqual(names, [
    [0, 35, 12], [36, 36, 1], [37, 37, 1], [38, 38, 1], [39, 43, 5], [44, 44, 1], [45, 45, 1], [46, 46, 1], [47, 87, 41],
  ]);
  assert.ok(planRows([3, 4, 5], [4], 9).every((row) => row.alone));
  assert.deepEqual(groupRows([1, 2, 9], new Set([2])).map((row) => row.alone), [false, true, false]);
});

test("too many to show: the more important are shown, the others lie in runs", () => {
  const sections = Array.from({ length: 100 }, (_, i) => i);
  const rows = planRows(sections, [50, 10, 90, 30, 70], 5);
  assert.deepEqual(rows.filter((row) => row.alone).map((row) => row.first), [10, 50]);
  assert.equal(rowOf(rows, 90), 4);
});

test("both readings of slow come from the model's counters", async () => {
  const recording = await loadRecording("remapped");
  const { counters, events } = loadTruth("remapped");
  const at = (kind) => events.find(([, one]) => one === kind)[0];
  assert.equal(readingsAt(recording, at("stopped")), null);
  const tick = at("lookup");
  const { every, flagged } = readingsAt(recording, tick);
  assert.deepEqual(flagged, {
    fast: counters.loads_fast[tick], slow: counters.loads_slow[tick], mean: counters.loads_mean[tick],
  });
  assert.deepEqual(every, { fast: 2, slow: 2, mean: 2 });
  assert.ok(flagged.fast < flagged.mean && flagged.mean < flagged.slow);
  assert.equal(readingsAt(recording, at("drained")), null);
});

test("each load has a name, as many as the model counts", async () => {
  const names = async (name) => {
    const recording = await loadRecording(name);
    const tick = recording.events.find((event) => event.kind === "lookup").tick;
    const count = (which) => recording.counter(`loads_${which}`, tick);
    const scattered = new SectionMap(recording).movedAt(tick).some((one) => one.scattered);
    return [namesOfLoads(recording, count("fast"), false, false), namesOfLoads(recording, count("slow"), true, scattered)];
  };
  assert.deepEqual(await names("remapped"), [["base"], ["base", "section table"]]);
  assert.deepEqual(await names("scattered"), [["base"], ["base", "section table", "frame table"]]);
  assert.deepEqual(await names("home"), [["base"], ["base", "root of the section table", "section table"]]);
  assert.deepEqual(await names("corrupted"), [[], ["section table"]]);
  assert.deepEqual(namesOfLoads({ meta: {} }, 2, true, false), ["load 1", "load 2"]);
});

test("a packet waits at every load and needs longer the more there are", () => {
  for (const loads of [0, 1, 3]) {
    const { frames } = packetFrames(loads);
    assert.deepEqual([frames[0], frames.at(-1)], [{ offset: 0, share: 0 }, { offset: 1, share: 1 }]);
    assert.equal(frames.length, 2 + 2 * loads);
    frames.slice(1).forEach((frame, i) => assert.ok(frame.offset > frames[i].offset && frame.share >= frames[i].share));
    assert.equal(frames.filter((frame, i) => i > 0 && frame.share === frames[i - 1].share).length, loads);
  }
  assert.ok(packetFrames(2).duration > packetFrames(1).duration);
});

test("a device knows its frame from the moment it is told of, and reads it after the remap", async () => {
  const map = new SectionMap(await loadRecording("corrupted"));
  const { events } = loadTruth("corrupted");
  const [, , asked] = events.find(([, kind]) => kind === "isolated");
  const inside = ([, kind, pfn]) => kind === "device_page" && Math.floor(pfn / map.size) === Math.floor(asked / map.size);
  const [tick, , pfn] = events.find(inside);
  const [late, , frame] = events.find(([, kind]) => kind === "corrupted");
  assert.equal(deviceAt(map, tick - 1), null);
  assert.deepEqual(deviceAt(map, tick), { pfn, frame: -1 });
  assert.deepEqual(deviceAt(map, late), { pfn, frame });
  // Pages of devices elsewhere are no part of this story.
  const { recording, size } = map;
  assert.equal(deviceAt({ recording, size, asked: new Set([Math.floor(pfn / size) + 1]) }, late), null);
  assert.equal(deviceAt(new SectionMap(await loadRecording("remapped")), late), null);
});
