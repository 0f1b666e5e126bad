// The optional panels of a stage: those that a recording names, beside one another or with tabs.

import { planDeck, DECK_FRAME, DECK_GAP, DECK_STRIP } from "./deckplan.js";
import { makeElement } from "./dom.js";
import { OPTIONAL_PANELS } from "./optional.js";

const CHART_TAB = "chart";

/** Which of some panels an event concerns: its name, or undefined. */
export function panelOfEvent(classes, { kind }) {
  return classes.find((one) => one.concerns?.has(kind))?.panelName;
}

export class OptionalDeck {
  /** host: what panels may ask of the stage: {showTip, hideTip, goTo, showChart}, see panels.js. */
  constructor(host) {
    this.host = host;
    this.made = new Map();
    this.shown = [];
    this.chosen = null;
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
    const key = classes.map((one) => one.panelName).join();
    if (key !== this.key) {
      this.key = key;
      this.chosen = null;
      this.shown = classes.map((one) => this.make(one));
      this.body.replaceChildren(...this.shown.map(({ frame }) => frame));
      this.plan = null;
      this.active = null;
    }
    this.el.hidden = this.empty;
    if (this.empty) this.host.showChart(true);
    this.sides = sides;
    this.view = view;
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

  /**
   * Lay the panels out; returns {height, chart}: what they take with the gap before them, and what
   * the chart below them has. For the arguments see planDeck.
   */
  fit(room) {
    if (this.empty || room.width <= DECK_FRAME.width) return { height: 0, chart: room.chart };
    const needs = this.shown.map(({ Panel, panel }) => ({
      narrowest: Panel.narrowest,
      least: (width) => panel.least(width),
    }));
    this.plan = planDeck({ ...room, needs });
    const { beside, widths, height, chart } = this.plan;
    this.el.classList.toggle("hotmem-deck-beside", beside);
    this.tabbed = !beside && (this.shown.length > 1 || (room.chart > 0 && chart === 0));
    this.charted = this.tabbed && room.chart > 0 && chart === 0;
    this.strip.hidden = !this.tabbed;
    // Without a chart below the panels get what the map has left over.
    this.el.classList.toggle("hotmem-deck-last", chart === 0);
    const above = this.tabbed ? DECK_STRIP : DECK_FRAME.title;
    this.shown.forEach(({ frame, title }, i) => {
      title.hidden = this.tabbed;
      frame.style.flexBasis = `${widths[i]}px`;
    });
    this.makeTabs();
    this.pickTab();
    const took = this.resizePanels(height - above - DECK_FRAME.height);
    const taken = took + above + DECK_FRAME.height;
    this.body.style.flexBasis = `${taken - (this.tabbed ? DECK_STRIP : 0)}px`;
    return { height: taken + (chart > 0 ? DECK_GAP : 0), chart };
  }

  /** Give all panels a height, with the widths of the plan; returns the most that one took. */
  resizePanels(height) {
    this.stale = true;
    return Math.max(...this.shown.map(({ panel }, i) => panel.resize(this.plan.widths[i] - DECK_FRAME.width, height)));
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
    if (this.plan.chart > 0) return;
    const title = this.tabbed ? 0 : DECK_FRAME.title;
    this.resizePanels(this.body.clientHeight - title - DECK_FRAME.height);
  }

  makeTabs() {
    const names = this.shown.map(({ name, Panel }) => [name, Panel.panelTitle]);
    const tabs = this.charted ? [[CHART_TAB, "time chart"], ...names] : names;
    const press = (name) => () => this.choose(name);
    this.tabs = tabs.map(([name, title]) => ({
      name,
      el: makeElement("button", "segment", { type: "button", onclick: press(name) }, title),
    }));
    const hint = "Show what the last event is about (p: the next panel)";
    this.auto = makeElement("button", "segment deck-auto", { type: "button", title: hint, onclick: press(null) }, "follow events");
    this.strip.replaceChildren(
      makeElement("div", "segments", { role: "group", "aria-label": "panel shown" }, this.tabs.map(({ el }) => el)),
      this.auto,
    );
  }

  /** Choose a panel by name, or null: what the events are about. */
  choose(name) {
    this.chosen = name;
    this.stale = true;
    this.draw(this.sides, this.view);
  }

  /** Go on to the next tab. */
  chooseNext() {
    if (!this.tabbed) return;
    const at = this.tabs.findIndex(({ name }) => name === this.active);
    this.choose(this.tabs[(at + 1) % this.tabs.length].name);
  }

  /** The panel that the last event of all sides is about, of those that are about a panel. */
  nameOfEvents() {
    const classes = this.shown.map(({ Panel }) => Panel);
    let latest = { tick: -1 };
    for (const { recording, tick } of this.sides) {
      const event = recording.events.findLast((one) => one.tick <= tick && panelOfEvent(classes, one));
      if (event && event.tick > latest.tick) latest = event;
    }
    return panelOfEvent(classes, latest);
  }

  pickTab() {
    const names = this.tabs.map(({ name }) => name);
    const wish = this.chosen ?? this.nameOfEvents();
    const active = names.includes(wish) ? wish : names[0];
    for (const { name, el } of this.tabs) el.setAttribute("aria-pressed", String(name === active));
    this.auto.setAttribute("aria-pressed", String(this.chosen === null));
    for (const { name, frame } of this.shown) frame.hidden = this.tabbed && name !== active;
    const chart = !this.charted || active === CHART_TAB;
    this.body.hidden = this.charted && chart;
    this.el.classList.toggle("hotmem-deck-folded", this.body.hidden);
    this.host.showChart(chart);
    if (active !== this.active) this.stale = true;
    this.active = active;
  }

  /** Draw the panels that can be seen, at the ticks where the sides stand. */
  draw(sides, view) {
    this.sides = sides;
    this.view = view;
    if (this.empty || !this.plan) return;
    this.pickTab();
    this.takeHeight();
    const at = sides.map((side) => side.tick).join();
    if (!this.stale && at === this.drawn) return;
    this.stale = false;
    this.drawn = at;
    for (const { name, panel, frame } of this.shown) if (!frame.hidden) panel.draw(this.sidesOf(name), view);
    this.el.dataset.panel = this.tabbed ? this.active : "";
  }
}
