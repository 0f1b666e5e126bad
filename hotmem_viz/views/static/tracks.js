// Tracks of rows that belong to ticks: what CPUs did, which pages moved. Pure.

/** The first place, not before `low`, whose value is above `value`; values ascend. */
export function firstAbove(values, value, low = 0) {
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where the rows of a tick are, [first, end]; `ticks` has the tick of every row. */
export function rowsOfTick(ticks, tick) {
  const first = firstAbove(ticks, tick - 1);
  return [first, firstAbove(ticks, tick, first)];
}

/** A table in columns, such as `spans`; a recording without one has an empty track. */
export class RowTrack {
  constructor({ arrays }, name) {
    this.tick = arrays[`${name}.tick`] ?? new Uint32Array(0);
    this.columns = {};
    for (const [key, array] of Object.entries(arrays)) {
      const [track, column] = key.split(".");
      if (track === name && column !== "tick") this.columns[column] = array;
    }
  }

  get length() {
    return this.tick.length;
  }

  /** The ticks that have rows, ascending, each once. */
  get ticks() {
    return [...new Set(this.tick)];
  }

  /** The rows of one tick as objects, in the order of the track. */
  at(tick) {
    const [first, end] = rowsOfTick(this.tick, tick);
    const names = Object.keys(this.columns);
    const row = (_, i) => Object.fromEntries(names.map((name) => [name, this.columns[name][first + i]]));
    return Array.from({ length: end - first }, row);
  }
}
