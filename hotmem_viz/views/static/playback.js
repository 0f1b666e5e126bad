// A track of cells at any tick, from key frames and runs of changed cells.
//
// A run holds old XOR new, so the same runs lead forwards and backwards, in any order.

import { firstAbove } from "./tracks.js";

const FULL_SCAN_PER_RUN = 32;

/** Cells that a seek has changed; `all` when it is cheaper to look at every cell. */
export class CellChanges {
  constructor(cells) {
    this.limit = Math.max(16, cells >> 1);
    this.list = new Uint32Array(this.limit);
    this.clear();
  }

  clear() {
    this.count = 0;
    this.all = false;
  }

  addRun(start, length) {
    if (this.all) return;
    if (this.count + length > this.limit) {
      this.all = true;
      return;
    }
    for (let i = 0; i < length; i++) this.list[this.count++] = start + i;
  }
}

export class CellTrack {
  /** `arrays` as decoded, `name` one of kind, owner, migratetype. */
  constructor(arrays, name) {
    for (const part of ["keys", "offsets", "start", "length", "flip"]) {
      this[part] = arrays[`${name}.${part}`];
    }
    this.keyTicks = arrays[`${name}.key_ticks`];
    this.cells = this.keys.length / this.keyTicks.length;
    this.state = this.keys.slice(0, this.cells);
    this.tick = 0;
  }

  /** Bring `state` to `tick`; what differs from before is added to `changes`. */
  seek(tick, changes) {
    if (tick === this.tick) return this.state;
    const key = this.keyBefore(tick);
    const fromKey = this.runsBetween(this.keyTicks[key], tick) + this.cells / FULL_SCAN_PER_RUN;
    if (fromKey < this.runsBetween(this.tick, tick)) {
      this.state.set(this.keys.subarray(key * this.cells, (key + 1) * this.cells));
      this.tick = this.keyTicks[key];
      if (changes) changes.all = true;
    }
    this.applyRuns(Math.min(this.tick, tick), Math.max(this.tick, tick), changes);
    this.tick = tick;
    return this.state;
  }

  keyBefore(tick) {
    return Math.max(0, firstAbove(this.keyTicks, tick) - 1);
  }

  runsBetween(a, b) {
    return Math.abs(this.offsets[b + 1] - this.offsets[a + 1]);
  }

  applyRuns(after, upTo, changes) {
    const { state, start, length, flip } = this;
    const end = this.offsets[upTo + 1];
    for (let run = this.offsets[after + 1]; run < end; run++) {
      const first = start[run];
      const n = length[run];
      const mask = flip[run];
      for (let i = first; i < first + n; i++) state[i] ^= mask;
      if (changes) changes.addRun(first, n);
    }
  }
}

/** A track of `cells` that never change, for a recording without one. */
export function emptyTrack(cells, ticks) {
  const arrays = {
    "still.keys": new Uint8Array(cells),
    "still.key_ticks": Int32Array.of(0),
    "still.offsets": new Uint32Array(ticks + 1),
    "still.start": new Uint32Array(0),
    "still.length": new Uint32Array(0),
    "still.flip": new Uint8Array(0),
  };
  return new CellTrack(arrays, "still");
}

/** The caption, or any other row with a `tick`, that stands at `tick`: the last one before. */
export function lastBefore(rows, tick) {
  let found = null;
  for (const row of rows) {
    if (row.tick > tick) break;
    found = row;
  }
  return found;
}

/**
 * Of which tick the map is, in words, where pages were read only now and then; else "".
 *
 * A capture's `meta.maps` lists those ticks: in between, the map stands still.
 */
export function mapNote({ meta, hasMap }, tick) {
  if (!hasMap) return "No page flags were captured: this run has no map.";
  if (!meta.maps || meta.ticks < 2) return "";
  const shown = lastBefore(meta.maps, tick);
  const next = meta.maps.find((map) => map.tick > tick);
  const later = next ? `; next: tick ${next.tick}` : "";
  if (!shown) return `No page has been read yet${later}`;
  if (shown.tick === tick) return `Pages as read at this tick (${shown.label})`;
  return `Pages as read at tick ${shown.tick} (${shown.label})${later}`;
}
