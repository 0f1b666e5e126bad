// The one time cursor: which tick of each recording stands at every position. Pure.
//
// With one recording a position is its tick. With two, a table from Python says which tick each
// has reached; a side that has ended stays at its last one.

import { formatCount, formatTime } from "./format.js";

export class Timeline {
  /** As decoded: recordings, `by` what they go along, `ticks` row by row or null. */
  constructor({ recordings, by, ticks }) {
    this.recordings = recordings;
    this.by = by;
    this.ticks = ticks;
    this.sides = recordings.length;
    this.positions = ticks ? ticks.length / this.sides : recordings[0].ticks;
    this.marks = this.findMarks();
    this.unit = recordings[0].meta.counters.find((counter) => counter.name === by)?.unit ?? "";
  }

  tickAt(position, side) {
    return this.ticks ? this.ticks[position * this.sides + side] : position;
  }

  /** The first position at which a side stands at a tick, or beyond it. */
  positionOf(side, tick) {
    if (!this.ticks) return tick;
    let low = 0;
    let high = this.positions - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tickAt(middle, side) < tick) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Marks of all sides, {position, side, event}, in order of position. */
  findMarks() {
    const found = this.recordings.flatMap(({ events }, side) =>
      events
        .filter((event) => event.mark)
        .map((event) => ({ position: this.positionOf(side, event.tick), side, event })),
    );
    return found.sort((a, b) => a.position - b.position || a.side - b.side);
  }

  /** The positions of marks, ascending, each once. */
  get markPositions() {
    return [...new Set(this.marks.map((mark) => mark.position))];
  }

  /** Where a side has ended that stays there while another goes on, in words; else "". */
  endedAt(position, side) {
    const recording = this.recordings[side];
    const last = recording.ticks - 1;
    if (this.sides === 1 || position <= this.positionOf(side, last)) return "";
    return this.by === "tick" ? "ended" : `ended at ${this.inUnits(recording.counter(this.by, last))}`;
  }

  /** What is said of a position beside its number: model time, or what the foremost has reached. */
  describe(position) {
    if (this.by === "tick") return formatTime(this.recordings[0].arrays.time_ns[this.tickAt(position, 0)]);
    // A capture without a load counts no operations: nothing is worth saying.
    if (this.recordings.every((one) => one.counter(this.by, one.ticks - 1) === 0)) return "";
    const reached = this.recordings.map((recording, side) => recording.counter(this.by, this.tickAt(position, side)));
    return this.inUnits(Math.max(...reached));
  }

  inUnits(value) {
    return `${formatCount(value)} ${this.unit}`;
  }

  /** The latest event of all sides that names a page, {side, event}, or null. */
  lastPage(position) {
    let latest = null;
    this.recordings.forEach(({ events }, side) => {
      const event = events.filter((e) => e.pfn >= 0 && e.tick <= this.tickAt(position, side)).at(-1);
      if (!event) return;
      const at = this.positionOf(side, event.tick);
      if (!latest || at > latest.at) latest = { side, event, at };
    });
    return latest;
  }
}
