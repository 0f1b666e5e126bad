// The stage: composes the panels, owns the transport and the one animation loop.

import { CaptionPanel } from "./caption.js";
import { ChartPanel } from "./chart.js";
import { TransportBar } from "./controls.js";
import { decodeRecording } from "./decode.js";
import { DetailPanel } from "./detail.js";
import { makeIcon, setText } from "./dom.js";
import { clamp } from "./format.js";
import { cellOfPfn } from "./geometry.js";
import { LegendPanel } from "./legend.js";
import { KernelLink } from "./link.js";
import { MemoryMap } from "./map.js";
import { CellChanges, CellTrack } from "./playback.js";
import { stageRoom } from "./room.js";
import { makeShell } from "./shell.js";
import { pageTheme, THEME_CHOICES, watchPageTheme } from "./theme.js";
import { describeCell, Tooltip } from "./tooltip.js";
import { actionOfKey, advanceTime, applyAction, baseRate, makeTransport, seekTick } from "./transport.js";
import { ZonesPanel } from "./zones.js";

const PANEL_MS = 80;
const NEAR = 12;
const FASTEST_GLOW = 30;
const LONGEST_FRAME_MS = 100;
const NOTEBOOK_MAP = 460;
const SMALLEST_MAP = 220;
const CHART_SHARE = 0.2;
const NARROW = 860;
const LOWEST_CAPTION = 72;
const HIGHEST_CAPTION = 132;
const LECTURE_CAPTION = 210;
const SMALLEST_CHART = 130;
const LEAST_CHART = 104;
const BELOW_MAP = 46;
const LABELS = 14;
const LECTURE_LABELS = 18;
const HUGE_LABELS = 17;
const HUGE_WIDTH = 2100;
const HUGE_HEIGHT = 1000;
const WIDE = 1080;

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
    this.shell = makeShell({
      main: [this.bar.el, this.caption.el, this.chart.el],
      map: this.map.el,
      side: [this.zones.el, this.legend.el],
      over: [this.detail.el],
      tooltip: this.tooltip.el,
      onTheme: () => this.nextTheme(),
      onLecture: () => this.toggleLecture(),
      onHelp: () => this.toggleHelp(),
    });
    this.root = this.shell.root;
    this.root.hotmem = {
      seek,
      tick: () => this.transport.tick,
      pixels: () => {
        const { canvas, context } = this.map;
        return context.getImageData(0, 0, canvas.width, canvas.height).data;
      },
    };
    el.append(this.root);
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
    setText(this.shell.title, recording.meta.title);
    setText(this.shell.subtitle, recording.meta.machine.title || recording.meta.machine.name);
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
    const near = Math.abs(tick - before) <= NEAR;
    const { playing, speed, ticks } = this.transport;
    const slow = !playing || baseRate(ticks) * speed <= FASTEST_GLOW;
    this.map.update(this.changes, this.tracks.kind.state, near && slow);
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
    if (!this.shell.help.hidden) this.toggleHelp();
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
    const { themeButton } = this.shell;
    themeButton.replaceChildren(makeIcon(icons[choice]));
    themeButton.title = `Theme: ${words[choice]} (t)`;
    themeButton.setAttribute("aria-label", themeButton.title);
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
    this.shell.help.hidden = !this.shell.help.hidden;
  }

  showError(text) {
    this.shell.error.hidden = !text;
    setText(this.shell.error, text || "");
  }

  setAttached(attached) {
    this.shell.notice.hidden = attached;
    this.root.dataset.attached = String(attached);
  }

  /** Sizes: the stage fills the window in a page, and keeps to a fixed height in a notebook. */
  layOut() {
    if (!this.recording || !this.root.isConnected) return;
    const { root } = this;
    const width = root.clientWidth;
    if (width === 0) return; // Not shown yet: the observer calls again when it is.
    const lecture = root.classList.contains("hotmem-lecture");
    const wide = width >= WIDE && !lecture;
    root.classList.toggle("hotmem-wide", wide);
    root.style.setProperty("--hotmem-side", `${Math.round(clamp(width * 0.225, 338, 500))}px`);
    const { height, notebook } = stageRoom(root);
    const dpr = Math.min(3, window.devicePixelRatio || 1);
    const key = [width, height, dpr, wide, root.className, notebook].join("/");
    if (key === this.measured) return;
    this.measured = key;
    root.style.setProperty("--hotmem-height", `${height}px`);
    root.classList.toggle("hotmem-narrow", width < NARROW);
    const huge = !notebook && width >= HUGE_WIDTH && height >= HUGE_HEIGHT;
    const labels = huge ? HUGE_LABELS : LABELS;
    root.classList.toggle("hotmem-huge", huge);
    const highest = lecture ? LECTURE_CAPTION : HIGHEST_CAPTION;
    const caption = clamp(this.caption.measure(), LOWEST_CAPTION, highest);
    root.style.setProperty("--hotmem-caption", `${caption}px`);
    const inner = this.shell.mapPanel.clientWidth;
    const above = this.shell.main.getBoundingClientRect().top - root.getBoundingClientRect().top;
    const chart = lecture ? 0 : Math.max(SMALLEST_CHART, height * CHART_SHARE);
    const others = above + this.bar.el.offsetHeight + caption + chart + BELOW_MAP;
    const limit = notebook && !wide ? NOTEBOOK_MAP : Math.max(SMALLEST_MAP, height - others);
    const text = lecture ? LECTURE_LABELS : labels;
    this.map.resize(this.recording, { width: inner, height: limit, dpr, text });
    // A map of very many sections may need more than its share: then the stage grows.
    const least = others - chart + (lecture ? 0 : LEAST_CHART) + this.shell.mapPanel.offsetHeight - 2;
    root.style.setProperty("--hotmem-height", `${Math.max(height, least)}px`);
    this.repaint();
    const side = height - above - 22 - this.legend.el.offsetHeight;
    this.zones.fit(((wide ? side : this.legend.el.offsetHeight) * LABELS) / labels);
    this.fitDetail(wide);
    this.detail.draw(this.recording, this.tracks, this.transport.tick, this.view);
  }

  /** The detail panel covers the map, and in a wide stage the side column as well. */
  fitDetail(wide) {
    const covered = this.shell.mapPanel.offsetHeight;
    const height = wide ? covered : Math.max(covered, 420);
    this.root.style.setProperty("--hotmem-detail-height", `${height}px`);
    this.detail.measured = null;
  }
}

/** Called by anywidget, and by an exported page with a model of its own. */
export function renderStage({ model, el }) {
  const stage = new Stage(model, el);
  return () => stage.stop();
}
