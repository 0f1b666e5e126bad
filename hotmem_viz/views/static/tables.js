// What becomes of page tables: their lives, and how they stand at any tick. Pure.
//
// A table's number is used again once the table is gone, so a number may have several lives. All is
// indexed once, by life and by tick, so that a look at any tick costs a few binary searches.

import { firstAbove, rowsOfTick } from "./tracks.js";

export const TABLE_CHANGES = ["new", "gone", "visited", "rewritten", "moved", "filled"];

const [TABLE_NEW, TABLE_GONE, TABLE_VISITED, , TABLE_MOVED] = TABLE_CHANGES.keys();
const USUAL_ENTRIES = 512;

export class TableIndex {
  /** Of a decoded recording that has the track `tables`. */
  constructor({ arrays, meta, ticks }) {
    for (const name of ["tick", "table", "change", "space", "level", "parent", "index", "pfn", "used"]) {
      this[name] = arrays[`tables.${name}`];
    }
    this.ticks = ticks;
    this.levels = meta.page_tables?.levels ?? this.usualLevels();
    this.findLives();
    this.sumWalks();
    this.sumLives();
  }

  static has({ arrays }) {
    return "tables.tick" in arrays;
  }

  usualLevels() {
    const top = this.level.reduce((most, level) => Math.max(most, level), 0);
    const level = (_, i) => ({ name: `level ${i}`, entries: USUAL_ENTRIES, frames: 1 });
    return Array.from({ length: top + 1 }, level);
  }

  /**
   * Give every row to a life: {space, level, index, parent, from, to, rows, ticks}; it is there from tick
   * `from` up to, not including, `to`. `roots` are lives without a known table above, in order.
   */
  findLives() {
    this.lives = [];
    const open = new Map();
    for (let row = 0; row < this.tick.length; row++) {
      const table = this.table[row];
      let life = open.get(table);
      if (!life || this.change[row] === TABLE_NEW) {
        life = {
          table,
          space: this.space[row],
          level: this.level[row],
          index: this.index[row],
          parent: open.get(this.parent[row]) ?? null,
          from: this.tick[row],
          to: this.ticks,
          rows: [],
          ticks: [],
        };
        open.set(table, life);
        this.lives.push(life);
      }
      life.rows.push(row);
      life.ticks.push(this.tick[row]);
      if (this.change[row] === TABLE_GONE) {
        life.to = this.tick[row];
        open.delete(table);
      }
    }
    // Tables of the lowest level may have been left out when a process ended: they go with it.
    const byLevel = [...this.lives].sort((a, b) => b.level - a.level);
    for (const life of byLevel) if (life.parent) life.to = Math.min(life.to, life.parent.to);
    this.roots = this.lives.filter((life) => !life.parent);
    this.roots.forEach((root, i) => Object.assign(root, { number: i + 1, tree: [] }));
    for (const life of this.lives) {
      life.root = life.parent?.root ?? life;
      life.root.tree.push(life);
    }
  }

  /** Running sums over rows: what was read, and what was rewritten. */
  sumWalks() {
    const sumUp = (weigh) => {
      const sum = new Float64Array(this.tick.length + 1);
      for (let row = 0; row < this.tick.length; row++) sum[row + 1] = sum[row] + weigh(row);
      return sum;
    };
    const isMoved = (row) => this.change[row] === TABLE_MOVED;
    this.sums = {
      tables: sumUp((row) => Number(this.change[row] === TABLE_VISITED)),
      entries: sumUp((row) => (this.change[row] === TABLE_VISITED ? this.levels[this.level[row]].entries : 0)),
      // One entry, in the table above, points at a table; at the top one only CR3 does.
      rewritten: sumUp((row) => Number(isMoved(row) && this.parent[row] >= 0)),
      tops: sumUp((row) => Number(isMoved(row) && this.parent[row] < 0)),
    };
    this.last = this.ticks - 1;
    this.changeSums = TABLE_CHANGES.map((_, change) => sumUp((row) => Number(this.change[row] === change)));
  }

  /** How many rows of each change there are. */
  get totals() {
    return Object.fromEntries(TABLE_CHANGES.map((name, i) => [name, this.changeSums[i].at(-1)]));
  }

  /** Tables known at every tick by level, and processes: (T, D) and (T,). */
  sumLives() {
    const depth = this.levels.length;
    this.known = new Int32Array(this.ticks * depth);
    this.processes = new Int32Array(this.ticks);
    for (const { from, to, level, parent } of this.lives) {
      this.known[from * depth + level] += 1;
      if (to < this.ticks) this.known[to * depth + level] -= 1;
      if (parent) continue;
      this.processes[from] += 1;
      if (to < this.ticks) this.processes[to] -= 1;
    }
    for (let i = depth; i < this.known.length; i++) this.known[i] += this.known[i - depth];
    for (let t = 1; t < this.ticks; t++) this.processes[t] += this.processes[t - 1];
  }

  /** How many of the known tables of a level exist at a tick. */
  knownAt(tick, level) {
    return this.known[tick * this.levels.length + level];
  }

  /** What a walk did at a tick: tables and entries read, entries rewritten, top tables that moved. */
  walkAt(tick) {
    const [first, end] = rowsOfTick(this.tick, tick);
    return Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum[end] - sum[first]]));
  }

  /** How many of the recorded tables changed at a tick, by the name of the change. */
  changesAt(tick) {
    const [first, end] = rowsOfTick(this.tick, tick);
    return Object.fromEntries(TABLE_CHANGES.map((name, i) => [name, this.changeSums[i][end] - this.changeSums[i][first]]));
  }

  /**
   * How a life stands at a tick: {alive, pfn, used, changes} with the names of what became of it at
   * this very tick, or null where it is not there. What goes at a tick is still shown at it.
   */
  stateAt(life, tick) {
    if (tick < life.from || tick > life.to) return null;
    const { rows, ticks } = life;
    const end = firstAbove(ticks, tick);
    const changes = [];
    for (let i = end - 1; i >= 0 && ticks[i] === tick; i--) changes.unshift(TABLE_CHANGES[this.change[rows[i]]]);
    const alive = tick < life.to;
    if (!alive && !changes.includes("gone")) changes.push("gone");
    const last = rows[end - 1];
    return { alive, pfn: this.pfn[last], used: this.used[last], changes };
  }

  /** The processes worth drawing first: those that a walk changes most, then the earliest. */
  rankRoots() {
    const isRewritten = (row) => this.change[row] > TABLE_VISITED && this.change[row] <= TABLE_MOVED;
    const rewritten = (life) => life.rows.filter(isRewritten).length;
    const weight = new Map(this.roots.map((root) => [root, root.tree.reduce((sum, life) => sum + rewritten(life), 0)]));
    return [...this.roots].sort((a, b) => weight.get(b) - weight.get(a) || a.number - b.number);
  }
}
