// Free memory per zone against its watermarks, and what of it is of no use to the kernel.
//
// In each bar free memory lies at the left, so that it falls towards the marks: first the
// part that the request cannot have (hatched), then the part it can, then what is used.

import { formatBytes, formatCount } from "./format.js";
import { makeElement, setText } from "./dom.js";

const MARKS = ["min", "low", "high"];
const COMPACT_FROM = 6;

function makeBar(classes) {
  const parts = {};
  for (const name of ["useless", "usable"]) parts[name] = makeElement("i", `bar-${name}`);
  parts.el = makeElement("div", `bar ${classes}`, {}, [parts.usable, parts.useless]);
  return parts;
}

function setBar(bar, useless, free, total) {
  bar.usable.style.width = `${(100 * free) / total}%`;
  bar.useless.style.width = `${(100 * useless) / total}%`;
}

function makeZoneRow(zone) {
  const bar = makeBar("zone-bar");
  const marks = {};
  for (const name of [...MARKS, "reserve"]) {
    marks[name] = makeElement("b", `tick tick-${name}`);
    bar.el.append(marks[name]);
  }
  const free = makeElement("span", "zone-free");
  const note = makeElement("p", "zone-note");
  const name = makeElement("span", "zone-name", {}, zone.zone);
  const head = makeElement("div", "zone-head", {}, [name, free]);
  const el = makeElement("div", "zone", {}, [head, bar.el, note]);
  return { zone, el, bar, marks, free, note };
}

function makeTotals() {
  const row = (classes, label) => {
    const value = makeElement("strong", "total-value");
    const fill = makeElement("i", `total-fill fill-${classes}`);
    const el = makeElement("div", `total total-${classes}`, {}, [
      makeElement("span", "total-label", {}, label),
      value,
      makeElement("div", "total-bar", {}, [fill]),
    ]);
    return { el, value, fill };
  };
  return {
    claim: row("claim", "MemAvailable claims"),
    have: row("have", "the kernel can have"),
    useless: row("useless", "free, but of no use to it"),
  };
}

export class ZonesPanel {
  constructor() {
    this.totals = makeTotals();
    this.list = makeElement("div", "zone-list");
    this.remote = makeElement("p", "zone-note");
    const totals = Object.values(this.totals).map((total) => total.el);
    this.el = makeElement("section", "panel zones", { "aria-label": "zones" }, [
      makeElement("div", "totals", {}, totals),
      this.list,
      this.remote,
    ]);
  }

  load(recording) {
    this.recording = recording;
    const { zones } = recording.meta;
    this.rows = zones.map(makeZoneRow);
    this.el.classList.toggle("hotmem-compact", zones.length >= COMPACT_FROM);
    const children = [];
    let node = null;
    for (const row of this.rows) {
      if (row.zone.nid !== node) {
        node = row.zone.nid;
        children.push(makeElement("h4", "node-name", {}, `node ${node}`));
      }
      children.push(row.el);
    }
    this.list.replaceChildren(...children);
    const missing = !recording.hasCounter("mem_available");
    this.totals.claim.el.hidden = missing;
  }

  draw(tick) {
    const { recording } = this;
    const page = recording.meta.page_size;
    const count = (name) => recording.counter(name, tick);
    for (const row of this.rows) this.drawZone(row, (name) => count(`zone${row.zone.id}.${name}`));
    const free = count("free");
    const useless = count("useless");
    const claim = count("mem_available");
    const all = recording.meta.machine.present_pages;
    const set = (total, pages) => {
      setText(total.value, formatBytes(pages * page));
      total.fill.style.width = `${Math.min(100, (100 * pages) / all)}%`;
    };
    set(this.totals.claim, claim);
    set(this.totals.have, free - useless);
    set(this.totals.useless, useless);
    const remote = count("remote");
    const word = `kernel pages served by another node: ${formatCount(remote)}`;
    setText(this.remote, recording.hasCounter("remote") ? word : "");
  }

  drawZone({ zone, bar, marks, free, note, el }, value) {
    const page = this.recording.meta.page_size;
    const total = zone.managed || zone.present || 1;
    const pages = value("free");
    setBar(bar, value("useless"), pages, total);
    setText(free, `${formatBytes(pages * page)} free of ${formatBytes(total * page)}`);
    for (const name of MARKS) marks[name].style.left = `${Math.min(100, (100 * value(name)) / total)}%`;
    const needs = value("min") + zone.reserve;
    marks.reserve.hidden = !zone.kernel || zone.reserve === 0;
    marks.reserve.style.left = `${Math.min(100, (100 * needs) / total)}%`;
    const boost = value("boost");
    const levels = MARKS.map((name) => `${name} ${formatCount(value(name))}`);
    if (zone.kernel && zone.reserve) levels.push(`reserve ${formatCount(zone.reserve)}`);
    if (boost > 0) levels.push(`boost ${formatCount(boost)}`);
    const text = levels.join(" · ");
    setText(note, text);
    const closed = zone.kernel ? "" : "A kernel request may not use this zone.\n";
    el.title = `${closed}${formatCount(pages)} pages free, ${formatCount(value("useless"))} of them of no use to a kernel request\n${text}`;
  }

  /** Let a zone's row flash: something happened there. */
  flash(zoneId) {
    const row = this.rows?.find(({ zone }) => zone.id === zoneId);
    if (!row) return;
    row.el.classList.remove("hotmem-flash");
    void row.el.offsetWidth;
    row.el.classList.add("hotmem-flash");
  }
}
