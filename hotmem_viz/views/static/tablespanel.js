// The panel of page-table trees: one view for each recording that follows page tables.

import { makeElement } from "./dom.js";
import { TreeView } from "./treeview.js";

const BETWEEN_VIEWS = 16;

export class TablesPanel {
  static panelName = "tables";
  static panelTitle = "page tables";
  static narrowest = 430;
  static concerns = new Set(["mapped", "tables_spill", "killed", "starved", "enomem", "tables_walked"]);

  /** host: see deckHost in panels.js. */
  constructor(host) {
    this.host = host;
    this.pool = [];
    this.views = [];
    this.el = makeElement("div", "tables");
  }

  load(sides) {
    this.views = sides.map((side, i) => {
      const view = (this.pool[i] ??= new TreeView(this.host));
      view.load(side, sides.length > 1);
      return view;
    });
    this.el.replaceChildren(...this.views.map(({ el }) => el));
  }

  draw() {
    for (const view of this.views) view.draw();
  }

  /** What each view gets of a width. */
  share(width) {
    const n = Math.max(1, this.views.length);
    return Math.floor((width - (n - 1) * BETWEEN_VIEWS) / n);
  }

  least(width) {
    return Math.max(...this.views.map((view) => view.least(this.share(width))));
  }

  resize(width, height) {
    return Math.max(...this.views.map((view) => view.resize(this.share(width), height)));
  }
}
