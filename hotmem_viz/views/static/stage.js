// The stage: composes the panels, owns the transport and the one animation loop.

import { CaptionPanel } from "./caption.js";
import { ChartPanel } from "./chart.js";
import { TransportBar } from "./controls.js";
import { decodeRecording } from "./decode.js";
import { DetailPanel } from "./detail.js";
import { makeButton, makeElement, setText } from "./dom.js";
import { cellOfPfn } from "./geometry.js";
import { LegendPanel } from "./legend.js";
import { KernelLink } from "./link.js";
import { MemoryMap } from "./map.js";
import { CellChanges, CellTrack } from "./playback.js";
import { pageTheme, THEME_CHOICES, watchPageTheme } from "./theme.js";
import { describeCell, Tooltip } from "./tooltip.js";
import { actionOfKey, advanceTime, applyAction, makeTransport, seekTick } from "./transport.js";
import { ZonesPanel } from "./zones.js";

const PANEL_MS = 80;
const LONGEST_FRAME_MS = 100;
const NOTEBOOK_HEIGHT = 760;
const NOTEBOOK_MAP = 460;
const SMALLEST_MAP = 220;
const SMALLEST_FIT = 600;
const CHART_SHARE = 0.24;
const WIDE = 1080;

const KEY_HELP = [
  ["Space", "play or pause"],
  ["← →", "step back, step"],
  ["Page Up, Page Down", "mark before, mark after (a clicker's keys)"],
  ["Home, End", "first, last tick"],
  ["+ −", "faster, slower"],
  ["o", "loop"],
  ["d", "open the section of the last event"],
  ["m", "colour by kind or by movability"],
  ["l", "lecture mode: larger, no side panels"],
  ["f", "full screen"],
  ["t", "theme: as the page, light, dark"],
  ["Esc", "close what is open"],
];

class Stage {
  constructor(model, el) {
    this.model = model;
    this.theme = "light";
    this.look = { mode: "kind", highlight: null };
    this.tracks = {};
    this.hover = null;
    this.build(el);
    this.link = new KernelLink(model, {
      isPlaying: () => Boolean(this.transport?.playing),
      onAttached: (attached) => this.setAttached(attached),
    });
    this.frame = this.frame.bind(this);
    this.listen();
    this.setTheme(model.get("theme") || "auto");
    this.showError(model.get("error"));
    this.root.dataset.busy = String(Boolean(model.get("busy")));
    this.loadRecording(true);
  }

  // ---- building -------------------------------------------------------------------------

  build(el) {
    const seek = (tick) => this.setTransport({ ...seekTick(this.transport, tick), playing: false });
    this.map = new MemoryMap({
      onHover: (hit, event) => this.hoverMap(hit, event),
      onPick: (hit) => this.pickSection(hit?.index ?? null),
    });
    this.bar = new TransportBar({
      onAction: (action) => this.act(action),
      onSeek: seek,
      onSpeed: (speed) => this.setTransport({ ...this.transport, speed }),
    });
    this.caption = new CaptionPanel();
    this.chart = new ChartPanel({ onSeek: seek });
    this.zones = new ZonesPanel();
    this.legend = new LegendPanel({
      onMode: (mode) => this.setLook({ mode, highlight: null }),
      onHighlight: (highlight) => this.setLook({ highlight }),
    });
    this.detail = new DetailPanel({
      onHover: (facts, event) => this.hoverPage(facts, event),
      onClose: () => this.pickSection(null),
    });
    this.tooltip = new Tooltip();
    this.panels = [this.bar, this.caption, this.zones, this.legend];
    this.buildShell(el);
  }

  buildShell(el) {
    this.title = makeElement("h2", "title");
    this.subtitle = makeElement("span", "subtitle");
    this.themeButton = makeButton("auto", "Theme: as the page (t)", () => this.nextTheme());
    const tools = makeElement("div", "tools", {}, [
      this.themeButton,
      makeButton("lecture", "Lecture mode (l)", () => this.toggleLecture()),
      makeButton("help", "Keys (?)", () => this.toggleHelp()),
    ]);
    const head = makeElement("header", "head", {}, [this.title, this.subtitle, tools]);
    this.error = makeElement("div", "error", { role: "alert", hidden: true });
    const lost = "Detached: the kernel does not answer. Playing goes on; controls need a kernel.";
    this.notice = makeElement("div", "notice", { role: "status", hidden: true }, lost);
    this.mapPanel = makeElement("section", "panel map-panel", {}, [this.map.el]);
    this.main = makeElement("div", "main", {}, [
      this.mapPanel,
      this.bar.el,
      this.caption.el,
      this.chart.el,
    ]);
    this.side = makeElement("aside", "side", {}, [this.zones.el, this.legend.el]);
    const grid = makeElement("div", "grid", {}, [this.main, this.side, this.detail.el]);
    this.help = this.buildHelp();
    this.root = makeElement(
      "div",
      "stage",
      { tabindex: 0, "data-lm-suppress-shortcuts": "true", role: "application", "aria-label": "memory stage" },
      [head, makeElement("div", "busy", { "aria-hidden": "true" }), this.error, this.notice, grid, this.help, this.tooltip.el],
    );
    Object.assign(this.root.dataset, { ready: "false", playing: "false", attached: "true", theme: "light", tick: "0" });
    this.root.hotmem = {
      seek: (tick) => this.setTransport({ ...seekTick(this.transport, tick), playing: false }),
      tick: () => this.transport.tick,
      pixels: () => {
        const { canvas, context } = this.map;
        return context.getImageData(0, 0, canvas.width, canvas.height).data;
      },
    };
    el.append(this.root);
  }

  buildHelp() {
    const rows = KEY_HELP.map(([keys, what]) => [makeElement("dt", "", {}, keys), makeElement("dd", "", {}, what)]);
    return makeElement("div", "help", { role: "dialog", "aria-label": "keys", hidden: true }, [
      makeElement("h3", "", {}, "Keys"),
      makeElement("dl", "facts", {}, rows.flat()),
      makeElement("p", "tip-why", {}, "Click a section to see its pages; click the legend to pick out a kind."),
    ]);
  }

  listen() {
    const { model, root } = this;
    this.handlers = {
      "change:recording": () => this.loadRecording(false),
      "change:chart": () => this.showChart(),
      "change:theme": () => this.setTheme(model.get("theme") || "auto"),
      "change:error": () => this.showError(model.get("error")),
      "change:busy": () => {
        root.dataset.busy = String(Boolean(model.get("busy")));
      },
      "change:tick": () => this.followModel(),
    };
    for (const [name, handler] of Object.entries(this.handlers)) model.on(name, handler);
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("select, .hotmem-chart a")) root.focus({ preventScroll: true });
    });
    this.stopTheme = watchPageTheme(() => this.setTheme(this.themeChoice));
    this.sizes = new ResizeObserver(() => this.layOut());
    this.sizes.observe(root);
    this.onWindow = () => this.layOut();
    window.addEventListener("resize", this.onWindow);
  }

  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.raf);
    this.stopTheme();
    this.sizes.disconnect();
    window.removeEventListener("resize", this.onWindow);
    this.link.stop();
    for (const [name, handler] of Object.entries(this.handlers)) this.model.off?.(name, handler);
  }

  // ---- what is shown --------------------------------------------------------------------

  async loadRecording(first) {
    const bytes = this.model.get("recording");
    if (!bytes || bytes.byteLength === 0) return;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const recording = await decodeRecording(bytes);
      if (turn !== this.turn || this.stopped) return;
      this.takeRecording(recording, first);
      if (!this.model.get("error")) this.showError("");
    } catch (error) {
      this.showError(`The recording cannot be shown: ${error.message}`);
    }
  }

  takeRecording(recording, first) {
    const before = this.transport;
    const marks = [...new Set(recording.events.filter((e) => e.mark).map((e) => e.tick))].sort((a, b) => a - b);
    let transport = makeTransport(recording.ticks, marks);
    const share = before && before.ticks > 1 ? before.tick / (before.ticks - 1) : 0;
    const start = first || !before ? (this.model.get("tick") ?? 0) : share * (recording.ticks - 1);
    transport = seekTick(transport, start);
    if (before) transport = { ...transport, speed: before.speed, loop: before.loop };
    this.recording = recording;
    this.changes = new CellChanges(recording.cells);
    this.tracks = { kind: new CellTrack(recording.arrays, "kind") };
    for (const name of ["owner", "migratetype"]) {
      if (recording.arrays[`${name}.keys`]) this.tracks[name] = new CellTrack(recording.arrays, name);
    }
    this.transport = transport;
    setText(this.title, recording.meta.title);
    setText(this.subtitle, recording.meta.machine.title || recording.meta.machine.name);
    if (this.detail.open && this.detail.index >= recording.meta.sections.length) this.pickSection(null);
    this.seekTracks();
    this.loadPanels();
    this.measured = null;
    this.layOut();
    this.showChart();
    this.root.dataset.ticks = String(recording.ticks);
    this.root.dataset.ready = "true";
  }

  get view() {
    return { ...this.look, theme: this.theme };
  }

  loadPanels() {
    const { recording, theme } = this;
    this.bar.load(recording, theme);
    this.caption.load(recording);
    this.zones.load(recording);
    this.legend.load(recording, this.view);
    this.drawPanels();
  }

  drawPanels() {
    const { tick } = this.transport;
    this.drawTime();
    this.caption.draw(tick, this.theme);
    this.zones.draw(tick);
    this.legend.draw(tick);
    this.detail.draw(this.recording, this.tracks, tick, this.view);
    if (this.hover) this.hoverMap(this.hover.hit, this.hover.event);
    this.panelAge = 0;
  }

  drawTime() {
    this.bar.draw(this.transport);
    this.chart.moveCursor(this.transport.tick);
    this.root.dataset.tick = String(this.transport.tick);
    this.root.dataset.playing = String(this.transport.playing);
  }

  repaint() {
    if (!this.recording || !this.map.layout) return;
    this.map.repaint(this.recording, this.tracks.kind.state, this.view);
    this.map.showPick(this.detail.index);
  }

  showChart() {
    if (this.recording) this.chart.show(this.model.get("chart"), this.theme, this.recording.ticks);
  }

  // ---- time -----------------------------------------------------------------------------

  act(action) {
    if (this.transport) this.setTransport(applyAction(this.transport, action));
  }

  setTransport(next) {
    if (!this.recording) return;
    const before = this.transport;
    this.transport = next;
    if (before.tick !== next.tick) this.showTick(before.tick);
    this.drawPanels();
    this.link.settle(next.tick);
    this.wake();
  }

  followModel() {
    const tick = this.model.get("tick");
    if (!this.transport || this.transport.playing || tick === this.link.saved) return;
    this.link.saved = tick;
    this.setTransport(seekTick(this.transport, tick));
  }

  seekTracks() {
    const { tick } = this.transport;
    this.changes.clear();
    this.tracks.kind.seek(tick, this.changes);
    this.tracks.owner?.seek(tick, null);
    this.tracks.migratetype?.seek(tick, null);
  }

  showTick(before) {
    this.seekTracks();
    const { tick } = this.transport;
    if (!this.map.layout) return;
    const near = Math.abs(tick - before) <= 12;
    this.map.update(this.changes, this.tracks.kind.state, near);
    this.map.clearPulses();
    const passed = this.recording.events.filter((e) => e.mark && e.tick <= tick && (near ? e.tick > before : e.tick === tick));
    const here = this.recording.events.filter((e) => e.mark && e.tick === tick);
    for (const event of passed.length > 0 ? passed : here) this.announce(event);
  }

  announce(event) {
    const { recording } = this;
    const colour = recording.eventKinds.get(event.kind)?.[this.theme] ?? "currentColor";
    const cell = event.pfn >= 0 ? cellOfPfn(recording.meta, event.pfn) : -1;
    if (cell >= 0) this.map.pulse(cell, colour);
    if (event.zone >= 0) this.zones.flash(event.zone);
  }

  wake() {
    if (this.raf || this.stopped) return;
    if (!this.transport?.playing && !this.map.glowing) return;
    this.last = performance.now();
    this.raf = requestAnimationFrame(this.frame);
  }

  frame(now) {
    this.raf = 0;
    const elapsed = Math.min(LONGEST_FRAME_MS, Math.max(0, now - this.last));
    this.last = now;
    const before = this.transport;
    this.transport = advanceTime(before, elapsed);
    if (this.transport.tick !== before.tick) {
      this.showTick(before.tick);
      this.drawTime();
    }
    this.panelAge = (this.panelAge ?? 0) + elapsed;
    const halted = before.playing && !this.transport.playing;
    if (halted || (this.transport.playing && this.panelAge >= PANEL_MS)) this.drawPanels();
    if (halted) this.link.settle(this.transport.tick);
    this.map.fadeGlow(elapsed);
    if ((this.transport.playing || this.map.glowing) && !this.stopped) this.raf = requestAnimationFrame(this.frame);
  }

  // ---- keys, pointer --------------------------------------------------------------------

  onKey(event) {
    if (event.target.tagName === "SELECT" && event.key.startsWith("Arrow")) return;
    const extra = {
      Escape: () => this.closeTop(),
      "?": () => this.toggleHelp(),
      l: () => this.toggleLecture(),
      f: () => this.toggleFullScreen(),
      t: () => this.nextTheme(),
      m: () => this.setLook({ mode: this.look.mode === "kind" ? "movability" : "kind", highlight: null }),
      d: () => this.openLastEvent(),
    };
    const plain = !(event.ctrlKey || event.altKey || event.metaKey);
    const action = actionOfKey(event);
    if (action) this.act(action);
    else if (plain && extra[event.key]) extra[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  hoverMap(hit, event) {
    this.hover = hit ? { hit, event } : null;
    this.map.canvas.classList.toggle("hotmem-over", hit?.index !== undefined);
    this.map.showHover(hit?.index ?? null);
    if (!hit) this.tooltip.hide();
    else if (hit.hole) {
      const { first, count } = hit.hole;
      const name = count === 1 ? `Section §${first}: no memory.` : `Sections §${first} – §${first + count - 1}: no memory.`;
      this.tooltip.showText(name, event, this.root);
    } else {
      this.tooltip.showFacts(describeCell(this.recording, this.tracks, hit.cell), this.theme, event, this.root);
    }
  }

  hoverPage(facts, event) {
    if (facts) this.tooltip.showFacts(facts, this.theme, event, this.root);
    else this.tooltip.hide();
  }

  pickSection(index) {
    this.hoverMap(null);
    this.detail.show(index === this.detail.index ? null : index);
    if (this.map.layout) this.map.showPick(this.detail.index);
    if (this.recording) this.detail.draw(this.recording, this.tracks, this.transport.tick, this.view);
  }

  openLastEvent() {
    if (!this.recording) return;
    const { meta, events } = this.recording;
    const event = events.filter((e) => e.pfn >= 0 && e.tick <= this.transport.tick).at(-1);
    const cell = event ? cellOfPfn(meta, event.pfn) : -1;
    if (cell >= 0) this.pickSection(Math.floor(cell / meta.cells_per_section));
  }

  closeTop() {
    if (!this.help.hidden) this.toggleHelp();
    else if (this.detail.open) this.pickSection(null);
    else if (this.look.highlight) this.setLook({ highlight: null });
    else if (this.root.classList.contains("hotmem-lecture")) this.toggleLecture();
  }

  // ---- looks ----------------------------------------------------------------------------

  setLook(change) {
    this.look = { ...this.look, ...change };
    if (!this.recording) return;
    this.legend.load(this.recording, this.view);
    this.repaint();
    this.drawPanels();
  }

  setTheme(choice) {
    this.themeChoice = choice;
    const theme = choice === "auto" ? pageTheme(this.root) : choice;
    const icons = { auto: "auto", light: "sun", dark: "moon" };
    const words = { auto: "as the page", light: "light", dark: "dark" };
    const button = makeButton(icons[choice], "", null);
    this.themeButton.replaceChildren(button.firstChild);
    this.themeButton.title = `Theme: ${words[choice]} (t)`;
    this.themeButton.setAttribute("aria-label", this.themeButton.title);
    if (theme === this.theme && this.root.dataset.theme === theme) return;
    this.theme = theme;
    this.root.dataset.theme = theme;
    if (!this.recording) return;
    this.loadPanels();
    this.repaint();
    this.showChart();
  }

  nextTheme() {
    const i = THEME_CHOICES.indexOf(this.themeChoice);
    this.setTheme(THEME_CHOICES[(i + 1) % THEME_CHOICES.length]);
  }

  toggleLecture() {
    this.root.classList.toggle("hotmem-lecture");
    this.layOut();
    this.chart.layOut();
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => {});
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
  }

  showError(text) {
    this.error.hidden = !text;
    setText(this.error, text || "");
  }

  setAttached(attached) {
    this.notice.hidden = attached;
    this.root.dataset.attached = String(attached);
  }

  /** Sizes: the stage fills the window in a page, and keeps to a fixed height in a notebook. */
  layOut() {
    if (!this.recording || !this.root.isConnected) return;
    const { root } = this;
    const notebook = document.querySelector(".jp-LabShell, .jp-NotebookShell") && document.fullscreenElement !== root;
    const width = root.clientWidth;
    if (width === 0) return;
    const wide = width >= WIDE && !root.classList.contains("hotmem-lecture");
    root.classList.toggle("hotmem-wide", wide);
    const top = notebook ? 0 : root.getBoundingClientRect().top + window.scrollY;
    const full = document.fullscreenElement === root;
    const room = window.innerHeight - (full ? 0 : Math.min(top, window.innerHeight * 0.4)) - (full ? 0 : 8);
    const height = notebook ? NOTEBOOK_HEIGHT : Math.max(SMALLEST_FIT, Math.floor(room));
    const dpr = Math.min(3, window.devicePixelRatio || 1);
    const key = [width, height, dpr, wide, root.className, Boolean(notebook)].join("/");
    if (key === this.measured) return;
    this.measured = key;
    root.style.setProperty("--hotmem-height", `${height}px`);
    const style = getComputedStyle(root);
    const inner = this.mapPanel.clientWidth;
    const others = this.bar.el.offsetHeight + this.caption.el.offsetHeight + this.main.offsetTop + 3 * 10;
    const chart = this.chart.el.offsetParent === null ? 0 : Math.max(130, height * CHART_SHARE);
    const left = height - others - chart - 22;
    const limit = notebook && !wide ? NOTEBOOK_MAP : Math.max(SMALLEST_MAP, left);
    this.map.resize(this.recording, inner, limit, dpr, `600 14px ${style.fontFamily}`);
    this.repaint();
    this.detail.measured = null;
    this.detail.draw(this.recording, this.tracks, this.transport.tick, this.view);
  }
}

/** Called by anywidget, and by an exported page with a model of its own. */
export function renderStage({ model, el }) {
  const stage = new Stage(model, el);
  return () => stage.stop();
}
