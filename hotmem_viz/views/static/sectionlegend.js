// The legend's second part: states of sections, and pages that move. Only what a recording has.

import { formatCount } from "./format.js";
import { makeElement, makeSvg, setText } from "./dom.js";
import { sectionsByState, statesUsed } from "./states.js";

const SWATCH = { width: 22, height: 18 };
const SWATCH_DASHES = { dashed: "6 3", dotted: "2 2", dashdot: "7 2 2 2" };

/** A small block in the frame of a state, with its letter. */
function stateSwatch(look, theme) {
  const { width, height } = SWATCH;
  const svg = makeSvg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const box = (inset, attributes) =>
    makeSvg("rect", { x: inset, y: inset, width: width - 2 * inset, height: height - 2 * inset, fill: "none", ...attributes });
  const plain = look.line === "none";
  svg.append(box(1.5, { stroke: look[theme], "stroke-width": plain ? 1 : 3, "stroke-dasharray": SWATCH_DASHES[look.line] ?? "none" }));
  if (look.line === "double") svg.append(box(1.5, { class: "hotmem-state-gap" }));
  const text = makeSvg("text", { x: width / 2, y: height / 2 + 5, "text-anchor": "middle", fill: look[theme] });
  text.textContent = look.short;
  svg.append(text);
  return svg;
}

/** What moved at this tick, in words: sides (see side.js), each of which knows what it has moved. */
export function movesInWords(sides) {
  const rows = sides.map(({ letter, moved }) => ({ letter, ...moved })).filter(({ pages }) => pages > 0);
  if (rows.length === 0) return "no page moves at this tick";
  const [pages, drawn] = ["pages", "drawn"].map((what) => rows.reduce((sum, row) => sum + row[what], 0));
  const each = rows.map((row) => `${row.letter} ${formatCount(row.pages)}`).join(", ");
  const alone = `${formatCount(pages)} ${pages === 1 ? "page moves" : "pages move"}`;
  const what = `${sides.length > 1 ? `${each} move` : alone}${rows.some(({ back }) => back) ? " back" : ""}`;
  return drawn > 0 && drawn < pages ? `${what}, ${drawn} drawn` : what;
}

export class SectionLegend {
  constructor() {
    this.states = makeElement("div", "legend-states", { "aria-label": "states of sections", role: "group" });
    this.moved = makeElement("span", "legend-moved");
    const end = (name) => makeElement("i", `move-swatch move-${name}`, { "aria-hidden": "true" });
    this.moves = makeElement("p", "legend-moves", {}, [end("from"), "→", end("to"), this.moved]);
    this.el = makeElement("div", "legend-sections", {}, [this.states, this.moves]);
  }

  load(sides, theme) {
    const looks = new Map();
    for (const { recording } of sides) for (const look of statesUsed(recording)) looks.set(look.id, look);
    this.rows = [...looks.values()].map((look) => ({ look, el: this.makeRow(look, theme) }));
    this.states.replaceChildren(...this.rows.map(({ el }) => el));
    this.states.hidden = this.rows.length === 0;
    this.moves.hidden = !sides.some(({ recording }) => recording.arrays["moves.tick"]);
    this.el.hidden = this.states.hidden && this.moves.hidden;
  }

  makeRow(look, theme) {
    const label = makeElement("span", "", {}, look.label);
    return makeElement("span", "legend-state", { title: look.why, "data-state": look.name }, [stateSwatch(look, theme), label]);
  }

  /** Those states stand out that a section is in. */
  draw(sides) {
    if (this.el.hidden) return;
    const now = sides.map(({ recording, now: { states, boots } }) => sectionsByState(recording, states, boots));
    for (const { look, el } of this.rows) {
      el.classList.toggle("hotmem-now", now.some((sections) => sections.has(look.id)));
    }
    if (!this.moves.hidden) setText(this.moved, movesInWords(sides));
  }
}
