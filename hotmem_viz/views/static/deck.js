// The optional panels of a stage: as many beside one another as fit, chosen by tabs or by events.

import { DECK_FRAME, DECK_GAP, DECK_STRIP, orderPanels, planDeck } from "./deckplan.js";
import { makeElement } from "./dom.js";
import { OPTIONAL_PANELS } from "./optional.js";

const CHART_TAB = "chart";
const CROWD_PANEL = "scoreboard";
const FOLLOW_HINT = "Show what the last events are about (p: the next panel)";

export class OptionalDeck {
  /** host: what panels may ask of the stage: {showTip, hideTip, goTo, showChart}, see panels.js. */
  constructor(host) {
    this.host = host;
    this.made = new Map();
    this.shown = [];
    this.picks = [];
    this.strip = makeElement("div", "deck-strip");
    this.body = makeElement("div", "deck-body");
    this.el = makeElement("section", "deck", { "aria-label": "further panels", hidden: true }, [this.strip, this.body]);
  }

  get empty() {
    return this.shown.length === 0;
  }

  /** Take recordings or a theme: makes the panels that a side's `meta.panels` names. */
  load(sides, view) {
    const named = new Set(sides.flatMap(({ recording }) => recording.meta.panels ?? []));
    const classes = OPTIONAL_PANELS.filter((one) => named.has(one.panelName));
    const key = `${sides.length > 2}/${classes.map((one) => one.panelName).join()}`;
    if (key !== this.key) {
      this.key = key;
      this.picks = sides.length > 2 ? classes.map((one) => one.panelName).filter((name) => name === CROWD_PANEL) : [];
      this.shown = classes.map((one) => this.make(one));
      this.body.replaceChildren(...this.shown.map(({ frame }) => frame));
      this.plan = null;
    }
    this.el.hidden = this.empty;
    if (this.empty) this.host.showChart(true);
    this.sides = sides;
    this.view = view;
    this.told = sides.map(({ recording }) => this.findTold(recording));
    for (const { name, panel } of this.shown) panel.load(this.sidesOf(name), view);
    this.stale = true;
  }

  make(Panel) {
    const known = this.made.get(Panel.panelName);
    if (known) return known;
    const panel = new Panel(this.host);
    const title = makeElement("h3", "optional-title", {}, Panel.panelTitle);
    const frame = makeElement("section", "panel optional", { "aria-label": Panel.panelTitle }, [title, panel.el]);
    const made = { Panel, name: Panel.panelName, panel, title, frame };
    this.made.set(Panel.panelName, made);
    return made;
  }

  sidesOf(name) {
    return this.sides.filter(({ recording }) => recording.meta.panels?.includes(name));
  }

  /** Events that are about a panel, {tick, name}: the first panel that they concern. */
  findTold({ events }) {
    const about = (Panel, event) => Panel.isAbout?.(event) || Panel.concerns?.has(event.kind);
    const found = events.map((event) => ({
      tick: event.tick,
      name: this.shown.find(({ Panel }) => about(Panel, event))?.name,
    }));
    return found.filter(({ name }) => name);
  }

  /**
   * Lay the panels out; returns {height, chart}: what they take with the gap before them, and what
   * the chart below them has. For the arguments see planDeck.
   */
  fit(room) {
    if (this.empty || room.width <= DECK_FRAME.width) return { height: 0, chart: room.chart };
    const needs = this.shown.map(({ Panel, panel }) => ({
      narrowest: panel.narrowest ?? Panel.narrowest,
      least: (width) => panel.least(width),
    }));
    this.plan = planDeck({ ...room, needs });
    const { width, height, chart, tabbed, titled } = this.plan;
    this.charted = room.chart > 0 && chart === 0;
    this.strip.hidden = !tabbed;
    // Without a chart below the panels get what the map has left over.
    this.el.classList.toggle("hotmem-deck-last", chart === 0);
    const strip = tabbed ? DECK_STRIP : 0;
    for (const { frame, title } of this.shown) {
      title.hidden = !titled;
      frame.style.flexBasis = `${width}px`;
    }
    this.makeTabs();
    this.pickTabs();
    const taken = this.resizePanels(height - strip);
    this.body.style.flexBasis = `${taken}px`;
    return { height: taken + strip + (chart > 0 ? DECK_GAP : 0), chart };
  }

  /** Give all panels a height, their frames included; returns the most that one took. */
  resizePanels(outer) {
    this.stale = true;
    const around = DECK_FRAME.height + (this.plan.titled ? DECK_FRAME.title : 0);
    const width = this.plan.width - DECK_FRAME.width;
    return Math.max(...this.shown.map(({ panel }) => panel.resize(width, outer - around))) + around;
  }

  /** Take the height that is really there, once everything has its place, and draw. */
  settle() {
    if (this.empty) return;
    this.settled = false;
    this.draw(this.sides, this.view);
  }

  takeHeight() {
    if (this.settled || this.body.hidden) return;
    this.settled = true;
    if (this.plan.chart === 0) this.resizePanels(this.body.clientHeight);
  }

  makeTabs() {
    const names = this.shown.map(({ name, Panel }) => [name, Panel.panelTitle]);
    const tabs = this.charted ? [[CHART_TAB, "time chart"], ...names] : names;
    this.tabs = tabs.map(([name, title]) => ({
      name,
      el: makeElement("button", "segment", { type: "button", onclick: () => this.choose(name) }, title),
    }));
    const follow = { type: "button", title: FOLLOW_HINT, onclick: () => this.choose(null) };
    this.auto = makeElement("button", "segment deck-auto", follow, "follow events");
    this.strip.replaceChildren(
      makeElement("div", "segments", { role: "group", "aria-label": "panels shown" }, this.tabs.map(({ el }) => el)),
      this.auto,
    );
  }

  /** Choose a panel by name, or null: what the events are about. */
  choose(name) {
    this.picks = name === null ? [] : [name, ...this.picks.filter((one) => one !== name)];
    this.stale = true;
    this.draw(this.sides, this.view);
  }

  /** Go on to the next tab that is not shown. */
  chooseNext() {
    if (!this.plan?.tabbed) return;
    const names = this.tabs.map(({ name }) => name);
    const from = names.indexOf(this.picks[0] ?? [...this.active].at(-1));
    const turn = names.map((_, i) => names[(from + 1 + i) % names.length]);
    this.choose(turn.find((name) => !this.active.has(name)) ?? turn[0]);
  }

  /** The names that are shown now: the chart alone, or as many panels as there are columns. */
  namesShown() {
    const { columns, tabbed } = this.plan;
    const names = this.shown.map(({ name }) => name);
    if (!tabbed) return names;
    const told = this.sides.flatMap(({ tick }, i) => this.told[i].filter((one) => one.tick <= tick));
    told.sort((a, b) => a.tick - b.tick);
    if (this.charted && (this.picks[0] === CHART_TAB || (this.picks.length === 0 && told.length === 0))) return [CHART_TAB];
    return orderPanels(names, this.picks.filter((name) => names.includes(name)), told).slice(0, columns);
  }

  pickTabs() {
    this.active = new Set(this.namesShown());
    for (const { name, el } of this.tabs) el.setAttribute("aria-pressed", String(this.active.has(name)));
    this.auto.setAttribute("aria-pressed", String(this.picks.length === 0));
    for (const { name, frame } of this.shown) frame.hidden = !this.active.has(name);
    const chart = this.active.has(CHART_TAB);
    this.body.hidden = chart;
    this.el.classList.toggle("hotmem-deck-folded", chart);
    this.host.showChart(chart || !this.charted);
    const key = [...this.active].join();
    if (key !== this.el.dataset.panels) this.stale = true;
    this.el.dataset.panels = key;
  }

  /** Draw the panels that can be seen, at the ticks where the sides stand. */
  draw(sides, view) {
    this.sides = sides;
    this.view = view;
    if (this.empty || !this.plan) return;
    this.pickTabs();
    this.takeHeight();
    const at = sides.map((side) => side.tick).join();
    if (!this.stale && at === this.drawn) return;
    this.stale = false;
    this.drawn = at;
    for (const { name, panel, frame } of this.shown) if (!frame.hidden) panel.draw(this.sidesOf(name), view);
  }
}
