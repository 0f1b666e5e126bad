// The page-table trees of one recording: boxes by level, and in words what they stand for.

import { makeElement, makeSvg, setText, textMeasure } from "./dom.js";
import { formatCount } from "./format.js";
import { layOutTrees, leastTrees, nextPlace, placeAt } from "./treelayout.js";
import { TableIndex } from "./tables.js";
import { countTables, makeTableKey, plural, tableFacts, TABLE_LOOKS, walkWords } from "./treewords.js";

const FEW_PROCESSES = 12;
const LONG_REST = "Drawn: 10 processes; and 1,000 more processes, 500,000 table pages.";
const NO_TABLES = "This recording follows no page tables.";
const TREE_TEXT_LINE = 20;
const TREE_GAP = 4;
const KEY_BOX = 34;
const TREE_GUTTER = 66;
const TREE_DIGIT = 9;

export class TreeView {
  /** host: see deckHost in panels.js. */
  constructor(host) {
    this.host = host;
    this.chip = makeElement("span", "side-chip");
    this.counts = makeElement("span");
    this.keys = new Map(Object.keys(TABLE_LOOKS).map((change) => [change, makeTableKey(change)]));
    const keys = [...this.keys.values()].map(({ el }) => el);
    const counts = makeElement("span", "tables-counts", {}, [this.chip, " ", this.counts]);
    this.head = makeElement("p", "tables-head", {}, [counts, makeElement("span", "tables-keys", {}, keys)]);
    this.rest = makeElement("p", "tables-rest");
    this.none = makeElement("p", "optional-none", {}, NO_TABLES);
    this.svg = makeSvg("svg", { class: "hotmem-trees", role: "img", tabindex: 0 });
    this.body = makeElement("div", "tables-body", {}, [this.head, this.svg, this.rest]);
    this.el = makeElement("div", "tables-side", {}, [this.body, this.none]);
    this.svg.addEventListener("pointermove", (event) => this.hover(this.under(event), event));
    this.svg.addEventListener("pointerleave", () => this.hover(null));
    this.svg.addEventListener("click", (event) => this.pick(this.under(event)));
    this.svg.addEventListener("keydown", (event) => this.handleKey(event));
    this.svg.addEventListener("blur", () => this.hover(null));
  }

  /** side: as in side.js; named: whether its letter has to be said. */
  load(side, named) {
    const { recording } = side;
    this.chip.hidden = !named;
    this.chip.className = `hotmem-side-chip hotmem-side${side.index}`;
    setText(this.chip, side.letter);
    const has = TableIndex.has(recording);
    this.body.hidden = !has;
    this.none.hidden = has;
    if (side === this.side && recording === this.recording) return;
    this.side = side;
    this.recording = recording;
    this.index = has ? new TableIndex(recording) : null;
    if (!has) return;
    const shown = new Set(this.shownKeys());
    for (const [change, { el }] of this.keys) el.hidden = !shown.has(change);
    this.longestOf = Object.fromEntries([...shown].map((change) => [change, this.findLongest((tick) => formatCount(this.index.changesAt(tick)[change]))]));
    this.longest = this.findLongest((tick) => this.countsAt(tick));
    const walk = this.findLongest((tick) => walkWords(this.index.walkAt(tick)));
    const most = Math.max(...Array.from({ length: recording.ticks }, (_, tick) => countTables(this.index, recording, tick).processes));
    this.longestRest = most > FEW_PROCESSES || !walk ? `${LONG_REST} ${walk}` : walk;
    this.trees = this.index.rankRoots().map((root) => ({ root, labelWidth: String(root.number).length * TREE_DIGIT }));
    this.key = "";
  }

  /** Stand in that room, in css pixels; returns the height it takes. */
  resize(width, room) {
    if (!this.index) return TREE_TEXT_LINE;
    const { line } = this;
    const [heads, words] = this.countLines(width);
    this.head.style.height = `${heads * line + TREE_GAP}px`;
    this.rest.style.height = `${words * line}px`;
    const around = (heads + words) * line + 2 * TREE_GAP;
    return around + this.arrange(width, room - around);
  }

  /** The height that the view can do with. */
  least(width) {
    if (!this.index) return TREE_TEXT_LINE;
    const { line } = this;
    const [heads, words] = this.countLines(width);
    return (heads + words) * line + 2 * TREE_GAP + leastTrees(this.index.levels.length);
  }

  /** Height of a line of text. */
  get line() {
    const size = parseFloat(getComputedStyle(this.el).fontSize) || 0;
    return Math.max(TREE_TEXT_LINE, Math.round(size * 1.4));
  }

  /** Lines that the head and the words below may need. */
  countLines(width) {
    const measure = textMeasure(this.el);
    const counted = measure(this.longest) + (this.chip.hidden ? 0 : KEY_BOX);
    const keys = this.shownKeys().reduce((sum, change) => sum + measure(`${TABLE_LOOKS[change][0]} ${this.longestOf[change]}`, true) + KEY_BOX, 0);
    const linesOf = (pixels) => Math.max(1, Math.ceil(pixels / width));
    const together = counted + keys <= width;
    return [together ? 1 : linesOf(counted) + linesOf(keys), linesOf(measure(this.longestRest))];
  }

  /** The longest of what is said at any tick. */
  findLongest(wordsAt) {
    const all = Array.from({ length: this.index.ticks }, (_, tick) => wordsAt(tick));
    return all.reduce((longest, words) => (words.length > longest.length ? words : longest), "");
  }

  /** The changes that this recording has, in the legend's order. */
  shownKeys() {
    return Object.keys(TABLE_LOOKS).filter((change) => this.index.totals[change] > 0);
  }

  /** Put the trees in their room; returns their height. */
  arrange(width, height) {
    const key = `${width}/${height}`;
    if (key === this.key) return this.layout.height;
    this.key = key;
    // More trees than these could not have a box each.
    const most = Math.ceil(width / TREE_DIGIT);
    this.layout = layOutTrees(this.trees.slice(0, most), { width, height, depth: this.index.levels.length, gutter: TREE_GUTTER });
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", this.layout.height);
    this.build();
    if (this.tick !== undefined) this.draw();
    return this.layout.height;
  }

  build() {
    const { places, lines } = this.layout;
    const links = makeSvg("g", { class: "hotmem-tree-links" });
    const boxes = makeSvg("g", { class: "hotmem-tree-boxes" });
    const texts = makeSvg("g", { class: "hotmem-tree-texts" });
    const write = (text, x, y, anchor, classes = "") => {
      const el = makeSvg("text", { x, y, "text-anchor": anchor, "dominant-baseline": "central", class: classes });
      el.textContent = text;
      texts.append(el);
      return el;
    };
    this.heads = [];
    for (const { y, levels, heads } of lines) {
      write("process", TREE_GUTTER - 10, y, "end");
      for (const { level, y: at } of levels) write(this.index.levels[level].name, TREE_GUTTER - 10, at + 7, "end");
      for (const head of heads) this.heads.push({ ...head, el: write(String(head.root.number), head.x, head.y, "middle", "hotmem-tree-number") });
    }
    for (const place of places) {
      this.drawPlace(place, boxes);
      place.links = place.below.map((child) => {
        const middle = (place.y + place.height + child.y) / 2;
        const d = `M${place.x + place.width / 2} ${place.y + place.height}V${middle}H${child.x + child.width / 2}V${child.y}`;
        const el = makeSvg("path", { d });
        links.append(el);
        return { el, child };
      });
    }
    this.cursor = makeSvg("rect", { class: "hotmem-tree-cursor", rx: 2, visibility: "hidden" });
    this.svg.replaceChildren(links, boxes, texts, this.cursor);
  }

  drawPlace(place, boxes) {
    const { x, y, width, height } = place;
    place.frame = makeSvg("rect", { width, height, rx: Math.min(2, width / 5), class: "hotmem-tree-frame" });
    place.fill = makeSvg("rect", { width, class: "hotmem-tree-fill" });
    place.glyph = makeSvg("path", { class: "hotmem-tree-glyph", transform: `scale(${width} ${height})` });
    place.el = makeSvg("g", { transform: `translate(${x} ${y})` });
    place.el.append(place.frame, place.fill, place.glyph);
    boxes.append(place.el);
  }

  /** The life that a place shows at a tick, and its state: the living one, or what has just gone. */
  lifeAt({ slot }, tick) {
    let found = null;
    for (const life of slot.lives) {
      const state = this.index.stateAt(life, tick);
      if (state && (state.alive || !found)) found = { life, ...state };
    }
    return found;
  }

  draw() {
    if (!this.layout || !this.index) return;
    const tick = (this.tick = this.side.tick);
    const drawn = { processes: 0, pages: this.index.levels.map(() => 0) };
    for (const place of this.layout.places) {
      const state = (place.state = this.lifeAt(place, tick));
      place.el.style.display = state ? "" : "none";
      if (!state) continue;
      if (state.alive) {
        drawn.pages[state.life.level] += this.index.levels[state.life.level].frames;
        if (!state.life.parent) drawn.processes += 1;
      }
      this.paint(place, state);
    }
    for (const { links } of this.layout.places) {
      for (const { el, child } of links) {
        el.style.display = child.state ? "" : "none";
        el.setAttribute("class", child.state?.changes.includes("moved") ? "hotmem-lit" : "");
      }
    }
    for (const { el, root } of this.heads) el.style.display = this.index.stateAt(root, tick) ? "" : "none";
    const changed = this.index.changesAt(tick);
    for (const [change, { count, el }] of this.keys) {
      setText(count, changed[change] ? ` ${formatCount(changed[change])}` : "");
      el.classList.toggle("hotmem-lit", changed[change] > 0);
    }
    this.tell(drawn);
    if (this.held) this.hover(this.held.state ? this.held : null);
  }

  paint(place, { life, used, changes }) {
    const { entries } = this.index.levels[life.level];
    const full = Math.min(1, used / entries) * place.height;
    const high = used > 0 ? Math.max(Math.min(2, place.height / 3), full) : 0;
    place.fill.setAttribute("y", place.height - high);
    place.fill.setAttribute("height", high);
    place.glyph.setAttribute("d", changes.map((change) => TABLE_LOOKS[change][1]).join(""));
    place.el.setAttribute("class", ["hotmem-table", ...changes.map((change) => `hotmem-table-${change}`)].join(" "));
  }

  countsAt(tick) {
    const { pages, processes } = countTables(this.index, this.recording, tick);
    const all = pages.reduce((a, b) => a + b, 0);
    const wordsOf = ({ name, frames }, n) => (frames ? `${formatCount(n)} ${name}` : `${name} inside slab pages`);
    const each = pages.map((n, i) => wordsOf(this.index.levels[i], n)).reverse();
    return `${plural(processes, "process")}, ${plural(all, "table page")}: ${each.join(", ")}`;
  }

  /** Say in words what is drawn, and what is not. */
  tell(drawn) {
    const { index, recording, tick } = this;
    const { pages, processes } = countTables(index, recording, tick);
    const all = pages.reduce((a, b) => a + b, 0);
    setText(this.counts, this.countsAt(tick));
    const moreProcesses = Math.max(0, processes - drawn.processes);
    const morePages = Math.max(0, all - drawn.pages.reduce((a, b) => a + b, 0));
    const more = moreProcesses
      ? `and ${formatCount(moreProcesses)} more ${moreProcesses === 1 ? "process" : "processes"}, ${plural(morePages, "table page")}`
      : morePages
        ? `and ${plural(morePages, "more table page")}`
        : "";
    const walk = walkWords(index.walkAt(tick));
    setText(this.rest, [more && `Drawn: ${plural(drawn.processes, "process")}; ${more}.`, walk].filter(Boolean).join(" "));
    this.svg.setAttribute("aria-label", `page tables: ${this.counts.textContent}. ${this.rest.textContent}`);
  }

  // ---- pointing -------------------------------------------------------------------------

  under(event) {
    const box = this.svg.getBoundingClientRect();
    const place = placeAt(this.layout.places, event.clientX - box.left, event.clientY - box.top);
    return place?.state ? place : null;
  }

  hover(place, event) {
    this.held = place;
    this.cursor?.setAttribute("visibility", place ? "visible" : "hidden");
    if (place) {
      const { x, y, width, height } = place;
      for (const [name, value] of Object.entries({ x: x - 2, y: y - 2, width: width + 4, height: height + 4 })) this.cursor.setAttribute(name, value);
    }
    if (!place) return this.host.hideTip();
    const { title, rows } = tableFacts(this.index, this.recording.meta, place);
    this.host.showRows(title, rows, event ?? this.pointOf(place));
  }

  /** A place as an event would name it, for a table that the keyboard chose. */
  pointOf(place) {
    const box = this.svg.getBoundingClientRect();
    return { clientX: box.left + place.x + place.width, clientY: box.top + place.y + place.height };
  }

  pick(place) {
    const section = place ? tableFacts(this.index, this.recording.meta, place).section : -1;
    if (section >= 0) this.host.openSection(this.side, section);
  }

  /** Shift and an arrow goes from table to table, Enter opens the section of its frame. */
  handleKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Enter" && this.held) this.pick(this.held);
    else if (event.shiftKey && steps[event.key]) this.step(...steps[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  step(dx, dy) {
    const shown = this.layout.places.filter((place) => place.state);
    if (!shown.length) return;
    const from = this.held ?? null;
    if (!from) return this.hover(shown[0]);
    const next = nextPlace(shown, from, dx, dy);
    if (next) this.hover(next);
  }
}
