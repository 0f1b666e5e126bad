// The scoreboard as it stands at the tick: what strategies are measured by, side by side.

import { formatBytes, formatCount, formatTime } from "./format.js";
import { makeElement, setText } from "./dom.js";
import { makeChip } from "./side.js";

const SCORE_HEAD = 37;
/** Of a single run, whose side column leaves titles less width: they take a third line. */
const ALONE_HEAD = 57;
const SCORE_ROW = 21;
const SIGNS = { best: "★ ", worst: "▽ ", "": "" };

/** A measure's value for people; `unit` is its counter's. */
export function writeScore(value, unit, pageSize) {
  if (unit === "bytes") return formatBytes(value);
  if (unit === "pages") return formatBytes(value * pageSize);
  if (unit === "ns") return value === 0 ? "0" : formatTime(value);
  return Number.isInteger(value) ? formatCount(value) : value.toFixed(3);
}

/** Of each value whether it is "best" or "worst", else "": neither end where most are alike. Pure. */
export function scoreEnds(values, better) {
  const [high, low] = [Math.max(...values), Math.min(...values)];
  if (!better || high === low) return values.map(() => "");
  const counts = (end) => values.filter((value) => value === end).length <= values.length / 2;
  const [best, worst] = better === "high" ? [high, low] : [low, high];
  const named = (value, end) => value === end && counts(end);
  return values.map((value) => (named(value, best) ? "best" : named(value, worst) ? "worst" : ""));
}

const columnTitle = ({ title, note }) => (note ? `${title}: ${note}` : title);

export class ScoreboardPanel {
  static panelName = "scoreboard";
  static panelTitle = "scoreboard";
  static narrowest = 860;
  static concerns = new Set(["capacity", "done"]);

  /** host: see deckHost in panels.js. */
  constructor(host) {
    this.host = host;
    this.head = makeElement("thead");
    this.body = makeElement("tbody");
    const label = "scoreboard at this tick";
    this.el = makeElement("div", "score", {}, [makeElement("table", "score-table", { "aria-label": label }, [this.head, this.body])]);
  }

  load(sides) {
    const [{ recording }] = sides;
    this.measures = recording.meta.measures ?? [];
    const units = new Map(recording.meta.counters.map(({ name, unit }) => [name, unit]));
    this.units = this.measures.map(({ counter }) => units.get(counter) ?? "");
    const titles = this.measures.map((measure) =>
      makeElement("th", measure.better ? "" : "score-beside", { scope: "col", title: columnTitle(measure) }, measure.short),
    );
    this.head.replaceChildren(makeElement("tr", "", {}, [makeElement("th", "", { scope: "col" }, "strategy"), ...titles]));
    this.rows = sides.map((side) => this.makeRow(side, sides.length > 1));
    this.body.replaceChildren(...this.rows.map(({ el }) => el));
  }

  makeRow(side, lettered) {
    const { index, recording } = side;
    const cells = this.measures.map(() => makeElement("td"));
    const title = recording.meta.captions[0]?.title ?? "";
    const name = makeElement("span", "score-name", { title }, title);
    const head = makeElement("th", "", { scope: "row" }, lettered ? [makeChip(index), name] : [name]);
    const el = makeElement("tr", "score-row", { onclick: () => this.host.focusSide(side) }, [head, ...cells]);
    return { side, cells, el };
  }

  draw(sides, { focus }) {
    this.measures.forEach(({ counter, of, better }, m) => {
      const values = sides.map(({ recording, tick }) => recording.counter(counter, tick));
      const ends = scoreEnds(values, better);
      sides.forEach(({ recording, tick }, row) => {
        const cell = this.rows[row].cells[m];
        const write = (value) => writeScore(value, this.units[m], recording.meta.page_size);
        const asked = of ? ` of ${write(recording.counter(of, tick))}` : "";
        setText(cell, `${SIGNS[ends[row]]}${write(values[row])}${of && this.units[m] === "sections" ? asked : ""}`);
        cell.title = `${ends[row] ? `${ends[row]}: ` : ""}${write(values[row])}${asked}`;
        cell.className = ends[row] ? `hotmem-score-${ends[row]}` : "";
      });
    });
    for (const { side, el } of this.rows) el.classList.toggle("hotmem-focused", sides.length > 1 && side === focus);
  }

  least() {
    return (this.rows.length > 1 ? SCORE_HEAD : ALONE_HEAD) + SCORE_ROW * this.rows.length;
  }

  resize(_width, height) {
    return Math.min(height, this.least());
  }
}
