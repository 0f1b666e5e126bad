// A recording at a tick: its tracks, what the last seek has changed, its event marks. Pure.

import { CellChanges, CellTrack, emptyTrack } from "./playback.js";

export class Scene {
  constructor(recording) {
    this.recording = recording;
    this.changes = new CellChanges(recording.cells);
    this.tracks = {};
    for (const name of ["kind", "owner", "migratetype", "sections"]) {
      if (recording.arrays[`${name}.keys`]) this.tracks[name] = new CellTrack(recording.arrays, name);
    }
    this.tracks.kind ??= emptyTrack(recording.cells, recording.ticks);
    this.markEvents = recording.events.filter((event) => event.mark);
    this.marks = [...new Set(this.markEvents.map((event) => event.tick))].sort((a, b) => a - b);
  }

  /** Page kinds of all cells at the tick of the last seek. */
  get kinds() {
    return this.tracks.kind.state;
  }

  /** The state of every section shown at the tick of the last seek, or null where none ever changes. */
  get states() {
    return this.tracks.sections?.state ?? null;
  }

  /** Bring all tracks to `tick`; `changes` then tells which cells of the map differ. */
  seek(tick) {
    this.changes.clear();
    this.tracks.kind.seek(tick, this.changes);
    this.tracks.owner?.seek(tick, null);
    this.tracks.migratetype?.seek(tick, null);
    this.tracks.sections?.seek(tick, null);
  }

  /** Mark events met on the way from one tick to another; a jump meets only its end. */
  marksMet(before, tick, jumped) {
    const since = jumped || tick < before ? tick - 1 : before;
    return this.markEvents.filter((event) => event.tick > since && event.tick <= tick);
  }
}
