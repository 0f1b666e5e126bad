// Where the kernel's virtual sections lie, what a lookup costs there, and which rows show it. Pure.
//
// A virtual section is numbered by the pfns that the 1:1 map gives its pages. Where its pages lie
// in several places the track only says "scattered"; then the copies of the stops tell where.

import { findStops } from "./lanegeometry.js";
import { CellTrack, lastBefore } from "./playback.js";
import { RowTrack } from "./tracks.js";

const SCATTERED = 0xffff;
const WAY_MS = 700;
const LOAD_MS = 600;

/** Copies made with the machine stopped, in order: {tick, source, target, pages}; tick is when the map follows. */
function findCopies(recording) {
  const moves = new RowTrack(recording, "moves");
  const written = recording.events.filter((event) => event.kind === "table_written");
  const copies = [];
  for (const stop of findStops(recording)) {
    for (let tick = stop.first; tick <= stop.last; tick++) {
      const event = written.find((one) => one.tick >= tick && one.tick <= stop.last);
      for (const move of moves.at(tick)) copies.push({ ...move, tick: event?.tick ?? tick });
    }
  }
  return copies;
}

/**
 * Pieces {page, frame, pages} of what was copied, after the copies of one more stop.
 *
 * Frames of a copy that hold pieces move those on; the others hold pages that were at home.
 */
function applyCopies(pieces, copies) {
  const held = pieces.toSorted((a, b) => a.frame - b.frame);
  const after = [];
  let i = 0;
  for (const { source, target, pages } of copies.toSorted((a, b) => a.source - b.source)) {
    const end = source + pages;
    let home = source;
    const moveHome = (to) => to > home && after.push({ page: home, frame: target + home - source, pages: to - home });
    while (i < held.length && held[i].frame + held[i].pages <= source) after.push(held[i++]);
    for (; i < held.length && held[i].frame < end; i++) {
      const { page, frame, pages: length } = held[i];
      const from = Math.max(frame, source);
      const to = Math.min(frame + length, end);
      if (from > frame) after.push({ page, frame, pages: from - frame });
      moveHome(from);
      after.push({ page: page + from - frame, frame: target + from - source, pages: to - from });
      home = to;
      if (frame + length > to) {
        held[i] = { page: page + to - frame, frame: to, pages: frame + length - to };
        break;
      }
    }
    moveHome(end);
  }
  return after.concat(held.slice(i)).filter(({ page, frame }) => page !== frame);
}

/** After each stop that copied: {tick, pieces, counts}; counts: pages by section, then by host. */
function findStages(copies, size) {
  const stages = [];
  for (const tick of new Set(copies.map((copy) => copy.tick))) {
    const pieces = applyCopies(stages.at(-1)?.pieces ?? [], copies.filter((copy) => copy.tick === tick));
    const counts = new Map();
    for (const { page, frame, pages } of pieces) {
      const section = Math.floor(page / size);
      if (!counts.has(section)) counts.set(section, new Map());
      const hosts = counts.get(section);
      for (let at = frame; at < frame + pages; ) {
        const host = Math.floor(at / size);
        const next = Math.min(frame + pages, (host + 1) * size);
        hosts.set(host, (hosts.get(host) ?? 0) + next - at);
        at = next;
      }
    }
    stages.push({ tick, pieces, counts });
  }
  return stages;
}

/** The kernel's map of sections at every tick of a recording. */
export class SectionMap {
  constructor(recording) {
    const { arrays, meta } = recording;
    this.recording = recording;
    this.sections = meta.sections;
    this.size = meta.machine.section_pages;
    this.track = arrays["lookup.keys"] ? new CellTrack(arrays, "lookup") : null;
    this.copies = this.track ? findCopies(recording) : [];
    this.stages = findStages(this.copies, this.size);
    const isolated = recording.events.filter((event) => event.kind === "isolated" && event.pfn >= 0);
    this.asked = new Set(isolated.map((event) => Math.floor(event.pfn / this.size)));
  }

  /** What was copied and not copied home at a tick, as pieces {page, frame, pages}. */
  piecesAt(tick) {
    return lastBefore(this.stages, tick)?.pieces ?? [];
  }

  /**
   * Virtual sections that are not where the 1:1 map has them: {section, scattered, hosts}.
   *
   * hosts: physical sections, {section, pages} each, the fullest first; pages as copied.
   */
  movedAt(tick) {
    if (!this.track) return [];
    const found = this.track.seek(tick, null);
    const moved = [];
    this.sections.forEach((section, i) => {
      if (found[i] !== section) moved.push({ section, found: found[i], scattered: found[i] === SCATTERED });
    });
    const counts = lastBefore(this.stages, tick)?.counts ?? new Map();
    return moved.map(({ section, found: to, scattered }) => {
      const pages = counts.get(section) ?? new Map();
      const hosts = [...pages].map(([host, n]) => ({ section: host, pages: n })).sort((a, b) => b.pages - a.pages);
      return { section, scattered, hosts: scattered ? hosts : [{ section: to, pages: pages.get(to) ?? 0 }] };
    });
  }

  /** Sections that the run is about, the more important first: asked to go, moved, hosts of moved ones. */
  get concerned() {
    const { ticks } = this.recording;
    const found = new Set(this.asked);
    const hosts = new Map();
    for (let tick = 0; tick < ticks; tick++) {
      if (!this.changesAt(tick)) continue;
      for (const one of this.movedAt(tick)) {
        found.add(one.section);
        for (const { section, pages } of one.hosts) hosts.set(section, Math.max(hosts.get(section) ?? 0, pages));
      }
    }
    for (const [section] of [...hosts].sort((a, b) => b[1] - a[1])) found.add(section);
    return [...found].filter((section) => this.sections.includes(section));
  }

  changesAt(tick) {
    if (!this.track) return false;
    return this.track.offsets[tick + 1] > this.track.offsets[tick] || this.stages.some((stage) => stage.tick === tick);
  }
}

/** Sections in rows: those to be shown by themselves, and runs of others, {first, last, count, alone}. */
export function groupRows(sections, alone) {
  const rows = [];
  for (const section of sections) {
    const top = rows.at(-1);
    if (top && !top.alone && !alone.has(section)) {
      top.last = section;
      top.count += 1;
    } else rows.push({ first: section, last: section, count: 1, alone: alone.has(section) });
  }
  return rows;
}

/**
 * Rows for at most `most` of them: the concerned sections in order of importance, then their
 * neighbours, as far as there is room; all others collapse into runs.
 */
export function planRows(sections, concerned, most) {
  if (sections.length <= most) return groupRows(sections, new Set(sections));
  const neighbours = concerned.flatMap((section) => {
    const at = sections.indexOf(section);
    return [sections[at - 1], sections[at + 1]].filter((one) => one !== undefined);
  });
  const alone = new Set();
  for (const section of [...concerned, ...neighbours]) {
    if (alone.has(section)) continue;
    alone.add(section);
    if (groupRows(sections, alone).length > most) alone.delete(section);
  }
  return groupRows(sections, alone);
}

/** The row in which a section stands. */
export function rowOf(rows, section) {
  return rows.findIndex((row) => row.first <= section && section <= row.last);
}

/** Names of the loads of a lookup; plain numbers where the parameters do not explain their count. */
export function namesOfLoads({ meta }, loads, slow, scattered) {
  const { kaslr, extreme } = meta.parameters ?? {};
  const names = kaslr ? ["base"] : [];
  if (slow && extreme) names.push("root of the section table");
  if (slow) names.push("section table");
  if (slow && scattered) names.push("frame table");
  return names.length === loads ? names : Array.from({ length: loads }, (_, i) => `load ${i + 1}`);
}

/**
 * Loads of a lookup by both readings of "slow" (S30): {every, flagged}, each {fast, slow, mean}.
 *
 * If every lookup pays, one in a fast section takes as many loads as one in a slow section. Null
 * where the recording counts none or no section is slow.
 */
export function readingsAt(recording, tick) {
  const [fast, slow, mean] = ["fast", "slow", "mean"].map((name) => recording.counter(`loads_${name}`, tick));
  if (!recording.hasCounter("loads_slow") || slow === 0) return null;
  return { every: { fast: slow, slow, mean: slow }, flagged: { fast, slow, mean } };
}

/**
 * How a packet moves that has to wait for some loads, one after another: {duration, frames}.
 *
 * frames: {offset, share}, shares of the time and of the way. The way takes as long for all.
 */
export function packetFrames(loads) {
  const duration = WAY_MS + loads * LOAD_MS;
  const frames = [{ offset: 0, share: 0 }];
  for (let i = 1; i <= loads; i++) {
    const share = i / (loads + 1);
    const arrives = (share * WAY_MS + (i - 1) * LOAD_MS) / duration;
    frames.push({ offset: arrives, share }, { offset: arrives + LOAD_MS / duration, share });
  }
  return { duration, frames: [...frames, { offset: 1, share: 1 }] };
}

/**
 * The page of a section asked to go that a device knows by its number: {pfn, frame} or null.
 *
 * frame: where the kernel writes that page once the device has read old data, else -1.
 */
export function deviceAt({ recording: { events }, asked, size }, tick) {
  const past = events.filter((event) => event.tick <= tick);
  const held = past.findLast((event) => event.kind === "device_page" && asked.has(Math.floor(event.pfn / size)));
  if (!held) return null;
  const corrupted = past.findLast((event) => event.kind === "corrupted");
  return { pfn: held.pfn, frame: corrupted?.pfn ?? -1 };
}
