// The drawing of the address map: three columns of sections, and the lines between them.
//
// Virtual sections at the left, physical ones in the middle, at the right the struct pages, which
// vmemmap finds by pfn. While the map is 1:1 all lines are level.

import { packetFrames, rowOf } from "./addressgeometry.js";
import { makeId, makeSvg } from "./dom.js";
import { formatCount } from "./format.js";

const BOX = 5.4;
const STATE_BOX = 11.6;
const STATE_FROM = 36;
const LOOKUP_SHARE = 0.6;
const LETTER_WIDTH = 0.58;
const STATION = 0.66;
const PACKET = 0.52;
const DEVICE_WORD = 4.2;
const PACKET_TURNS = 3;
const HIT = 13;

const sections = (count) => `${formatCount(count)} sections`;
export const nameOfRow = ({ first, last }) => (first === last ? `§${first}` : `§${first}–${last}`);

/** Where the columns stand on `width` pixels with text of a size: left and right of each. */
export function layoutColumns(width, text) {
  const box = Math.round(text * BOX);
  const stated = width >= STATE_FROM * text;
  const frame = stated ? Math.round(text * STATE_BOX) : box;
  const rest = width - 2 * box - frame - 2;
  const between = Math.round(rest * LOOKUP_SHARE);
  return {
    stated,
    virtual: [1, 1 + box],
    frame: [1 + box + between, 1 + box + between + frame],
    struct: [width - 1 - box, width - 1],
  };
}

export class AddressDrawing {
  /** tell(words, event) and hide() speak of the line under the pointer. */
  constructor({ tell, hide }) {
    this.tell = tell;
    this.el = makeSvg("svg", { class: "hotmem-address-drawing", role: "img" });
    this.arrow = makeId("arrow");
    this.el.addEventListener("pointerleave", hide);
    this.el.addEventListener("pointerover", (event) => {
      const words = event.target.dataset?.words;
      if (words) tell(words, event);
      else hide();
    });
  }

  /**
   * Draw everything anew. view: {width, rowHeight, text, rows, moved, size, states, unproven,
   * device, lookup, still}; `states` gives a section's state {label, colour} or null, `lookup` the
   * loads' names {fast, slow} while a lookup is told of.
   */
  draw(view) {
    this.view = view;
    const { width, rows, rowHeight, text } = view;
    this.columns = layoutColumns(width, text);
    this.top = Math.round(text * 1.5);
    this.el.setAttribute("width", width);
    this.el.setAttribute("height", this.top + rows.length * rowHeight);
    this.el.replaceChildren(this.makeArrow());
    this.lines = this.add("g");
    this.boxes = this.add("g");
    this.marks = this.add("g");
    this.drawHeads();
    rows.forEach((row, i) => this.drawRow(row, i));
    for (const one of view.moved) this.drawMoved(one);
    if (view.device) this.drawDevice(view.device);
    if (view.lookup) this.drawLookup(view.lookup);
  }

  add(tag, attributes = {}, to = this.el) {
    const element = makeSvg(tag, attributes);
    to.append(element);
    return element;
  }

  makeArrow() {
    const marker = makeSvg("marker", { id: this.arrow, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" });
    marker.append(makeSvg("path", { d: "M0 0 8 4 0 8z", class: "hotmem-address-tip" }));
    return marker;
  }

  write(x, y, words, classes, to = this.marks) {
    const { text } = this.view;
    const element = this.add("text", { x, y: y + text * 0.36, class: classes, "font-size": text }, to);
    element.textContent = words;
    return element;
  }

  /** Whether words fit into some pixels. */
  fits(words, room) {
    return words.length * this.view.text * LETTER_WIDTH <= room;
  }

  drawHeads() {
    const y = this.view.text * 0.6;
    const { virtual, frame, struct } = this.columns;
    this.write(virtual[0], y, "virtual", "hotmem-address-head");
    this.write(frame[0], y, this.columns.stated ? "physical section" : "physical", "hotmem-address-head");
    this.write(struct[1], y, "struct page", "hotmem-address-head hotmem-address-end");
  }

  yOf(section) {
    return this.top + (rowOf(this.view.rows, section) + 0.5) * this.view.rowHeight;
  }

  box([left, right], i, classes, colour) {
    const { rowHeight } = this.view;
    const gap = rowHeight > 20 ? 4 : 3;
    const y = this.top + i * rowHeight + gap / 2;
    const box = this.add("rect", { x: left, y, width: right - left, height: rowHeight - gap, rx: 3, class: classes }, this.boxes);
    if (colour) box.style.stroke = colour;
    return box;
  }

  drawRow(row, i) {
    const { moved, states, rowHeight } = this.view;
    const { virtual, frame, struct, stated } = this.columns;
    const y = this.top + (i + 0.5) * rowHeight;
    const gone = row.alone && moved.some((one) => one.section === row.first);
    const state = row.alone ? states(row.first) : null;
    const kind = row.alone ? "hotmem-address-box" : "hotmem-address-box hotmem-address-run";
    const name = nameOfRow(row);
    this.box(virtual, i, `${kind}${gone ? " hotmem-address-moved" : ""}`);
    this.box(frame, i, `${kind}${gone ? " hotmem-address-left" : ""}`, state?.colour);
    this.box(struct, i, `${kind}${gone ? " hotmem-address-left" : ""}`);
    this.write(virtual[0] + 6, y, name, "hotmem-address-name");
    this.write(struct[0] + 6, y, name, "hotmem-address-name");
    const count = row.count > 1 ? sections(row.count) : "";
    const told = stated ? [name, state?.label, count].filter(Boolean).join(" · ") : name;
    this.write(frame[0] + 6, y, told, "hotmem-address-name");
    if (gone) return;
    const run = row.alone ? "" : " hotmem-address-many";
    const words = `${row.alone ? `Virtual section ${name}` : `Virtual sections ${name}, ${sections(row.count)}`}: 1:1, ${this.pfns(row.first, row.last)} and frames agree.`;
    this.line([virtual[1], y], [frame[0], y], `hotmem-address-line${run}`, words);
    this.line([frame[1], y], [struct[0], y], `hotmem-address-line${run}`, `The struct pages of ${name} are found by pfn, as vmemmap has them.`);
    const middle = (virtual[1] + frame[0]) / 2;
    if (count && !stated && moved.length === 0 && this.fits(count, frame[0] - virtual[1] - 20)) this.write(middle, y, count, "hotmem-address-count");
  }

  pfns(first, last) {
    const { size } = this.view;
    return `pfn ${formatCount(first * size)} to ${formatCount((last + 1) * size - 1)}`;
  }

  line([x1, y1], [x2, y2], classes, words, to = this.lines) {
    const line = this.add("line", { x1, y1, x2, y2, class: classes }, to);
    const hit = this.add("line", { x1, y1, x2, y2, class: "hotmem-address-hit", "stroke-width": HIT }, to);
    hit.dataset.words = words;
    return line;
  }

  drawMoved({ section, scattered, hosts }) {
    const { virtual, frame, struct } = this.columns;
    const look = this.view.unproven ? "hotmem-address-remap hotmem-address-unproven" : "hotmem-address-remap";
    const from = [virtual[1], this.yOf(section)];
    for (const host of hosts) {
      const y = this.yOf(host.section);
      const pages = `${formatCount(host.pages)} of its pages`;
      const where = `physical section §${host.section}, ${this.pfns(host.section, host.section)}`;
      const how = scattered ? `${pages} lie in ${where}, each found by itself` : `is found in ${where}; ${pages} were copied there`;
      const words = `Virtual section §${section}, which the 1:1 map would have at ${this.pfns(section, section)}: ${how}.`;
      const line = this.line(from, [frame[0] - 2, y], look, words);
      line.setAttribute("marker-end", `url(#${this.arrow})`);
      const open = `Which struct page has a page of virtual section §${section} now: its old one, so that its pfn is no frame's, or that of its new frame in §${host.section}, so that all pointers to the old one are wrong? The mail leaves it open (Q3).`;
      const start = [frame[1], y];
      this.line(start, [struct[0], this.yOf(section)], "hotmem-address-open", open);
      this.line(start, [struct[0], y], "hotmem-address-open", open);
    }
    this.write(struct[1] - 6, this.yOf(section), "?", "hotmem-address-question");
    for (const host of hosts) this.write(struct[1] - 6, this.yOf(host.section), "?", "hotmem-address-question");
  }

  /** A device knows a frame by its number and goes there, whatever the map says. */
  drawDevice({ pfn, frame, section }) {
    const { text } = this.view;
    const { frame: column, struct } = this.columns;
    const y = this.yOf(section);
    const wrong = frame >= 0 ? " hotmem-address-wrong" : "";
    const start = struct[0] - text * DEVICE_WORD;
    const words = `A device reads frame ${formatCount(pfn)} by its number, past the map.`;
    const line = this.line([start, y], [column[1] + 2, y], `hotmem-address-device${wrong}`, words, this.marks);
    line.setAttribute("marker-end", `url(#${this.arrow})`);
    this.write(start + 3, y, "device", `hotmem-address-name hotmem-address-who${wrong}`);
  }

  /** A packet goes the fast way and one the slow way; each load on the way is a number. */
  drawLookup({ fast, slow }) {
    const { rows, moved } = this.view;
    const { virtual, frame } = this.columns;
    const level = rows.find((row) => row.alone && !moved.some((one) => one.section === row.first)) ?? rows.find((row) => !row.alone);
    const ways = level ? [[level.first, level.first, fast, "fast"]] : [];
    for (const { section, hosts } of moved) if (hosts.length) ways.push([section, hosts[0].section, slow, "slow"]);
    for (const [from, to, loads, name] of ways) {
      this.drawWay([virtual[1], this.yOf(from)], [frame[0], this.yOf(to)], loads, name);
    }
  }

  drawWay([x1, y1], [x2, y2], loads, name) {
    const { text, still } = this.view;
    const at = (share) => [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
    const stations = loads.map((load, i) => ({ load, place: at((i + 1) / (loads.length + 1)) }));
    stations.forEach(({ load, place: [cx, cy] }, i) => {
      const station = this.add("circle", { cx, cy, r: text * STATION, class: `hotmem-address-station hotmem-address-${name}` }, this.marks);
      station.dataset.words = `Load ${i + 1} of ${loads.length} of a ${name} lookup: ${load}.`;
    });
    const packet = this.add("circle", { r: text * PACKET, class: `hotmem-address-packet hotmem-address-${name}` }, this.marks);
    const place = (share) => `translate(${at(share).map((pixel) => `${pixel}px`).join(", ")})`;
    packet.style.transform = place(1);
    stations.forEach(({ place: [x, y] }, i) => this.write(x, y, String(i + 1), "hotmem-address-load"));
    if (still) return;
    const { duration, frames } = packetFrames(loads.length);
    packet.animate(frames.map(({ offset, share }) => ({ offset, transform: place(share) })), { duration, iterations: PACKET_TURNS });
  }
}
