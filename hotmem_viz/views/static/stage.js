// The stage: composes the panels, owns the transport and the one animation loop.

import { cellOfPfn } from "./cells.js";
import { decodeRecording } from "./decode.js";
import { setText } from "./dom.js";
import { handleKey } from "./keys.js";
import { KernelLink } from "./link.js";
import { makePanels } from "./panels.js";
import { hoverMap, pickSection } from "./pointing.js";
import { arrangeStage } from "./room.js";
import { Scene } from "./scene.js";
import { pageTheme, showThemeChoice, THEME_CHOICES, watchPageTheme } from "./theme.js";
import { advanceTime, applyAction, baseRate, carryTransport, makeTransport, seekTick } from "./transport.js";

const PANEL_MS = 80;
const NEAR = 12;
const FASTEST_GLOW = 30;
const LONGEST_FRAME_MS = 100;

class Stage {
  constructor(model, el) {
    this.model = model;
    this.theme = "light";
    this.look = { mode: "kind", highlight: null };
    this.hover = null;
    Object.assign(this, makePanels(this));
    el.append(this.root);
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
    root.addEventListener("keydown", (event) => handleKey(this, event));
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
    const scene = new Scene(recording);
    this.transport = before && !first
      ? carryTransport(before, recording.ticks, scene.marks)
      : seekTick(makeTransport(recording.ticks, scene.marks), this.model.get("tick") ?? 0);
    this.recording = recording;
    this.scene = scene;
    scene.seek(this.transport.tick);
    setText(this.shell.title, recording.meta.title);
    setText(this.shell.subtitle, recording.meta.machine.title || recording.meta.machine.name);
    if (this.detail.open && this.detail.index >= recording.meta.sections.length) pickSection(this, null);
    this.root.dataset.ticks = String(recording.ticks);
    this.loadPanels();
    this.measured = null;
    this.layOut();
    this.showChart();
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
    this.drawDetail();
    if (this.hover) hoverMap(this, this.hover.hit, this.hover.event);
    this.panelAge = 0;
  }

  drawTime() {
    this.bar.draw(this.transport);
    this.chart.moveCursor(this.transport.tick);
    this.root.dataset.tick = String(this.transport.tick);
    this.root.dataset.playing = String(this.transport.playing);
  }

  drawDetail() {
    if (this.scene) this.detail.draw(this.recording, this.scene.tracks, this.transport.tick, this.view);
  }

  repaint() {
    if (!this.recording || !this.map.layout) return;
    this.map.repaint(this.recording, this.scene.kinds, this.view);
    this.map.showPick(this.detail.index);
    this.root.dataset.ready = "true";
  }

  showChart() {
    if (this.recording) this.chart.show(this.model.get("chart"), this.theme, this.recording.ticks);
  }

  // ---- time -----------------------------------------------------------------------------

  /** Go to a tick and pause there. */
  seek(tick) {
    this.setTransport({ ...seekTick(this.transport, tick), playing: false });
  }

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

  showTick(before) {
    const { scene, map } = this;
    const { tick, playing, speed, ticks } = this.transport;
    scene.seek(tick);
    if (!map.layout) return;
    const near = Math.abs(tick - before) <= NEAR;
    const slow = !playing || baseRate(ticks) * speed <= FASTEST_GLOW;
    map.update(scene.changes, scene.kinds, near && slow);
    map.clearPulses();
    for (const event of scene.marksMet(before, tick, !near)) this.announce(event);
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
    showThemeChoice(this.shell.themeButton, choice);
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

  layOut() {
    if (this.recording && this.root.isConnected) arrangeStage(this);
  }
}

/** Called by anywidget, and by an exported page with a model of its own. */
export function renderStage({ model, el }) {
  const stage = new Stage(model, el);
  return () => stage.stop();
}
