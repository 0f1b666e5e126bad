// The stage: composes the panels, owns the transport and the one animation loop.

import { decodeShown } from "./decode.js";
import { setText } from "./dom.js";
import { handleKey } from "./keys.js";
import { followAddress, linkStage, showAddress, unlinkStage } from "./linking.js";
import { makePanels, placeSides } from "./panels.js";
import { passTicks } from "./passing.js";
import { hoverMap, pickedOf, pickSection } from "./pointing.js";
import { arrangeStage } from "./room.js";
import { takeTheme, themeAfter, watchPageTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { advanceTime, applyAction, carryTransport, makeTransport, seekTick } from "./transport.js";

const PANEL_MS = 80;
const LONGEST_FRAME_MS = 100;

class Stage {
  constructor(model, el) {
    this.model = model;
    this.theme = "light";
    this.look = { mode: "kind", highlight: null };
    this.hover = null;
    this.pool = [];
    this.sides = [];
    Object.assign(this, makePanels(this));
    el.append(this.root);
    Object.assign(this, linkStage(this));
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
      "change:address": () => showAddress(this),
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
    unlinkStage(this);
    for (const [name, handler] of Object.entries(this.handlers)) this.model.off?.(name, handler);
  }

  // ---- what is shown --------------------------------------------------------------------

  async loadRecording(first) {
    const bytes = this.model.get("recording");
    if (!bytes || bytes.byteLength === 0) return;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const shown = await decodeShown(bytes);
      if (turn !== this.turn || this.stopped) return;
      this.takeShown(shown, first);
      if (!this.model.get("error")) this.showError("");
    } catch (error) {
      this.showError(`The recording cannot be shown: ${error.message}`);
    }
  }

  takeShown(shown, first) {
    const timeline = (this.timeline = new Timeline(shown));
    const fresh = [timeline.positions, timeline.markPositions];
    this.transport = this.transport && !first
      ? carryTransport(this.transport, ...fresh)
      : seekTick(makeTransport(...fresh), this.model.get("tick") ?? 0);
    placeSides(this, shown);
    const { open, index, side } = this.detail;
    if (open && !(this.sides.includes(side) && index < side.recording.meta.sections.length)) pickSection(this, side, null);
    this.root.dataset.ticks = String(timeline.positions);
    this.loadPanels();
    this.measured = null;
    this.layOut();
    this.showChart();
    showAddress(this);
    if (first) followAddress(this);
  }

  get paired() {
    return this.sides.length > 1;
  }

  /** Whether there are so many sides that only one at a time is told of in words. */
  get crowded() {
    return this.sides.length > 2;
  }

  /** The sides that captions, zones and legend tell of. */
  get told() {
    return this.crowded ? [this.focus] : this.sides;
  }

  get view() {
    return { ...this.look, theme: this.theme, focus: this.focus };
  }

  loadPanels() {
    const { sides, theme, told } = this;
    this.bar.load(this.timeline, sides, theme);
    this.zones.load(told);
    this.legend.load(told, this.view);
    this.deck.load(sides, this.view);
    this.root.classList.toggle("hotmem-decked", !this.deck.empty);
    this.drawPanels();
  }

  drawPanels() {
    const { sides, theme, timeline, told } = this;
    this.drawTime();
    for (const side of sides) side.draw(theme, timeline.endedAt(this.transport.tick, side.index));
    this.zones.draw(told);
    this.legend.draw(told);
    this.deck.draw(sides, this.view);
    this.drawDetail();
    if (this.hover) hoverMap(this, this.hover.side, this.hover.hit, this.hover.event);
    this.panelAge = 0;
  }

  drawTime() {
    this.bar.draw(this.transport);
    this.chart.moveCursor(this.transport.tick);
    this.root.dataset.tick = String(this.transport.tick);
    this.root.dataset.playing = String(this.transport.playing);
  }

  drawDetail() {
    this.detail.draw(this.view, this.paired);
  }

  repaint() {
    const { sides } = this;
    if (!sides.length || !sides.every((side) => side.map.layout)) return;
    for (const side of sides) side.repaint(this.view, pickedOf(this, side));
    this.root.dataset.ready = "true";
  }

  showChart() {
    if (this.timeline) this.chart.show(this.model.get("chart"), this.theme, this.timeline.positions);
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
    const before = this.transport;
    this.transport = next;
    if (before.tick !== next.tick) passTicks(this, before.tick);
    this.drawPanels();
    this.settle();
    this.wake();
  }

  /** The tick may come to rest here: the kernel and the page's address want to know. */
  settle() {
    this.link.settle(this.transport.tick);
    this.address.change();
  }

  followModel() {
    const tick = this.model.get("tick");
    if (!this.transport || this.transport.playing || tick === this.link.saved) return;
    this.link.saved = tick;
    this.setTransport(seekTick(this.transport, tick));
  }

  get moving() {
    return this.sides.some((side) => side.map.moving);
  }

  wake() {
    if (this.raf || this.stopped) return;
    if (!this.transport?.playing && !this.moving) return;
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
      passTicks(this, before.tick);
      this.drawTime();
    }
    this.panelAge = (this.panelAge ?? 0) + elapsed;
    const halted = before.playing && !this.transport.playing;
    if (halted || (this.transport.playing && this.panelAge >= PANEL_MS)) this.drawPanels();
    if (halted) this.settle();
    for (const side of this.sides) side.map.advance(elapsed);
    if ((this.transport.playing || this.moving) && !this.stopped) this.raf = requestAnimationFrame(this.frame);
  }

  // ---- looks ----------------------------------------------------------------------------

  setLook(change) {
    this.look = { ...this.look, ...change };
    if (!this.timeline) return;
    this.legend.load(this.told, this.view);
    this.repaint();
    this.drawPanels();
  }

  setTheme(choice) {
    if (!takeTheme(this, choice) || !this.timeline) return;
    this.loadPanels();
    this.repaint();
    this.showChart();
  }

  nextTheme() {
    this.setTheme(themeAfter(this.themeChoice));
    this.link.save("theme", this.themeChoice);
    this.address.change();
  }

  toggleLecture() {
    this.root.classList.toggle("hotmem-lecture");
    this.layOut();
    this.chart.layOut();
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

  /** Fit the room there is; without any, in a tab that is not open, playing ends. */
  layOut() {
    if (!this.timeline || !this.root.isConnected) return;
    if (this.root.clientWidth === 0) {
      if (this.transport.playing) this.act("toggle");
      return;
    }
    arrangeStage(this);
    this.address.change();
  }
}

/** Called by anywidget, and by an exported page with a model of its own. */
export function renderStage({ model, el }) {
  const stage = new Stage(model, el);
  return () => stage.stop();
}
