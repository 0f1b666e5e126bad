// Pages in flight: packets that travel over the map when time takes one step, and outlines of where
// they come from and go to, which stand as long as the tick does.

import { makeElement, makeSvg } from "./dom.js";
import { flightPath, flightShare, movedCells, pointOnPath, runOutline } from "./flights.js";

const SMALLEST_PACKET = 5;
const THICK = 1.5;
const SMALL_CELL = 9;
const NEAR_ROWS = 3;
const MOST_OUTLINES = 600;

export class FlightLayer {
  constructor(lines) {
    this.canvas = makeElement("canvas", "canvas flights", { "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    this.lines = lines;
    this.flights = [];
  }

  get flying() {
    return this.flights.length > 0;
  }

  /** Take a new layout: nothing flies, nothing is outlined. */
  resize(layout) {
    this.layout = layout;
    // Where cells are small, outlines of single pages would hide them: pages close by share one.
    const small = Math.min(layout.w, layout.h) < SMALL_CELL * layout.dpr;
    this.near = small ? NEAR_ROWS * layout.columns : 0;
    const thick = THICK * layout.dpr;
    const strokes = { halo: 2 * thick, source: thick, target: thick };
    this.paths = Object.entries(strokes).map(([part, width]) =>
      makeSvg("path", { class: `hotmem-move-${part}`, "stroke-width": width }),
    );
    this.paths[1].setAttribute("stroke-dasharray", `${2 * thick} ${1.5 * thick}`);
    this.lines.append(...this.paths);
    this.outlined = "";
    this.land();
  }

  /** Outline the frames that pages leave and come to at this tick. */
  mark(meta, moves) {
    if (!moves.length && !this.outlined) return;
    const [source, target] = ["source", "target"].map((end) => this.outline(movedCells(meta, moves, end, this.near)));
    this.outlined = source + target;
    [this.outlined, source, target].forEach((d, i) => this.paths[i].setAttribute("d", d));
  }

  outline(runs) {
    const polygons = runs.slice(0, MOST_OUTLINES).flatMap((run) => runOutline(this.layout, run));
    return polygons.map((points) => `M${points.map((point) => point.join(" ")).join("L")}Z`).join("");
  }

  /** Let flights start; `ms` is how long they take, `paint(flight)` the colour of a packet. */
  launch(flights, { ms, paint, ink, paper }) {
    const { layout } = this;
    this.flights = flights.map((flight) => ({ path: flightPath(layout, flight), colour: paint(flight) }));
    Object.assign(this, { ms, ink, paper, age: 0 });
    this.packet = Math.max(SMALLEST_PACKET * layout.dpr, Math.round(Math.min(layout.w, layout.h)));
    this.canvas.classList.toggle("hotmem-lit", this.flying);
    if (this.flying) this.draw(0);
  }

  /** Let `milliseconds` pass. */
  advance(milliseconds) {
    if (!this.flying) return;
    this.age += milliseconds;
    if (this.age >= this.ms) this.land();
    else this.draw(this.age / this.ms);
  }

  /** Take everything out of the air. */
  land() {
    this.flights = [];
    this.canvas.classList.remove("hotmem-lit");
  }

  draw(share) {
    const { context: c, layout, packet, flights } = this;
    c.clearRect(0, 0, layout.width, layout.height);
    c.lineWidth = layout.dpr;
    flights.forEach(({ path, colour }, i) => {
      const t = flightShare(i, flights.length, share);
      if (t === 0 || t === 1) return;
      const [x, y] = pointOnPath(path, t);
      const [left, top] = [x - packet / 2, y - packet / 2].map(Math.round);
      c.fillStyle = this.paper;
      c.fillRect(left - 2 * layout.dpr, top - 2 * layout.dpr, packet + 4 * layout.dpr, packet + 4 * layout.dpr);
      c.fillStyle = this.ink;
      c.fillRect(left - layout.dpr, top - layout.dpr, packet + 2 * layout.dpr, packet + 2 * layout.dpr);
      c.fillStyle = colour;
      c.fillRect(left, top, packet, packet);
    });
  }
}
