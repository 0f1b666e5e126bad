// Meters of zones and nodes: the corner that ZONE_MOVABLE paints one into, and far kernel memory.

import { makeElement, setText } from "./dom.js";
import { formatBytes, formatCount, formatPercent } from "./format.js";
import { makeCard, makeWords, MeterRow } from "./meterparts.js";

/** Pages of Movable and of kernel zones that the page allocator has at a tick. */
export function sumSides({ recording, tick }) {
  const sides = { movable: 0, kernel: 0 };
  for (const { id, kernel, managed } of recording.meta.zones) {
    sides[kernel ? "kernel" : "movable"] += recording.counter(`zone${id}.managed`, tick, managed);
  }
  return sides;
}

/** What would have to go offline to change the ratio of Movable to kernel memory (S46). */
export class CornerMeter {
  static key = "corner";
  static counters = ["corner.movable", "corner.movable_used", "corner.movable_held", "corner.kernel", "corner.kernel_held"];
  static basis = 300;
  static widest = 1400;
  static title = "corner";
  static concerns = new Set(["corner"]);
  static lines = (width) => (width >= 800 ? 6.6 : width >= 620 ? 9.2 : 11);

  constructor() {
    this.ratio = makeWords();
    this.movable = new MeterRow("Movable → kernel", ["can", "held"]);
    this.used = makeWords();
    this.kernel = new MeterRow("kernel → Movable", ["can", "held"]);
    this.why = makeWords();
    const ways = [[this.movable.el, this.used], [this.kernel.el, this.why]].map((way) => makeElement("div", "meter-way", {}, way));
    const parts = [this.ratio, makeElement("div", "meter-ways", {}, ways)];
    this.el = makeCard("The corner: what would have to go offline", "S46", parts);
  }

  draw(side) {
    const { recording, tick } = side;
    const read = (name) => recording.counter(`corner.${name}`, tick);
    const [can, held, kernelCan, kernelHeld] = ["movable", "movable_held", "kernel", "kernel_held"].map(read);
    const sums = sumSides(side);
    const most = Math.max(can + held, kernelCan + kernelHeld);
    const size = recording.meta.machine.section_pages;
    const ratioAfter = (sections) => {
      const movable = sums.movable + sections * size;
      const kernel = sums.kernel - sections * size;
      return kernel > 0 ? `${(Math.max(0, movable) / kernel).toFixed(2)} : 1` : "nothing but Movable";
    };
    setText(this.ratio, `Movable to kernel memory now: ${ratioAfter(0)}. A section changes sides only by going offline and online again.`);
    const words = (n, all) => `${formatCount(n)} of ${formatCount(all)} sections could go`;
    this.movable.set(words(can, can + held), { can, held }, most);
    const used = formatBytes(read("movable_used") * recording.meta.page_size);
    const after = (n, sign) => (n ? ` One of them makes it ${ratioAfter(sign)}, all ${ratioAfter(sign * n)}.` : "");
    setText(this.used, `once ${used} in use have left them${held ? `; boot memory holds ${formatCount(held)} (hatched)` : ""}.${after(can, -1)}`);
    this.kernel.set(words(kernelCan, kernelCan + kernelHeld), { can: kernelCan, held: kernelHeld }, most);
    setText(this.why, `${formatCount(kernelHeld)} ${kernelHeld === 1 ? "is" : "are"} held by at least one page that does not move (hatched).${after(kernelCan, 1)}`);
    this.el.setAttribute("aria-label", `corner meter: ${this.el.textContent}`);
  }
}

/** Kernel pages by the distance of the node that served them (S3). */
export class DistanceMeter {
  static key = "distance";
  static counters = ["distance.mean"];
  static basis = 300;
  static widest = 1400;
  static title = "distance";
  static concerns = new Set(["remote_kernel"]);
  static lines = (width) => (width >= 800 ? 5.3 : width >= 620 ? 7 : 8.4);

  constructor() {
    this.rows = makeElement("div", "meter-ways");
    this.words = makeWords();
    this.source = makeWords();
    this.el = makeCard("Kernel memory: how far away?", "S3", [this.rows, this.words, this.source]);
  }

  load({ recording }) {
    const names = recording.meta.counters.map(({ name }) => name).filter((name) => /^distance\.\d+$/.test(name));
    this.distances = names.map((name) => Number(name.split(".")[1]));
    this.own = Math.min(...this.distances);
    this.bars = this.distances.map((distance) => {
      const place = distance === this.own ? "a node's own memory" : "another node's";
      return new MeterRow(`distance ${distance}: ${place}`, [distance === this.own ? "can" : "far"]);
    });
    this.rows.replaceChildren(...this.bars.map(({ el }) => el));
    const { slit } = recording.meta.distances ?? { slit: false };
    const told = slit ? "Distances are those of the firmware's SLIT." : `Firmware has no SLIT here: the kernel takes ${this.distances.at(-1)} for every other node.`;
    setText(this.source, `${told} What a distance costs in time was not measured.`);
  }

  draw({ recording, tick }) {
    const pages = this.distances.map((distance) => recording.counter(`distance.${distance}`, tick));
    const all = pages.reduce((a, b) => a + b, 0);
    this.bars.forEach((bar, i) => {
      const share = all ? ` · ${formatPercent(pages[i], all)}` : "";
      const part = this.distances[i] === this.own ? "can" : "far";
      bar.set(`${formatCount(pages[i])} pages${share}`, { [part]: pages[i] }, all);
    });
    const mean = recording.counter("distance.mean", tick);
    setText(this.words, all ? `Mean distance of ${formatCount(all)} kernel pages: ${mean.toFixed(2)}` : "No kernel page has been asked for by node yet.");
    this.el.setAttribute("aria-label", `distance of kernel memory: ${this.el.textContent}`);
  }
}
