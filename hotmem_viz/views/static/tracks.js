// Tracks of rows that belong to ticks: what CPUs did, which pages moved. Pure.

/** The first place in ascending `values` whose value is not below `value`. */
export function placeOf(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
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
    const first = placeOf(this.tick, tick);
    const end = placeOf(this.tick, tick + 1);
    const names = Object.keys(this.columns);
    const row = (_, i) => Object.fromEntries(names.map((name) => [name, this.columns[name][first + i]]));
    return Array.from({ length: end - first }, row);
  }
}
