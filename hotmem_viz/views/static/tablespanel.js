// The panel of page-table trees: one view for each recording that follows page tables.

import { makeElement } from "./dom.js";
import { TreeView } from "./treeview.js";
import { ViewsPanel } from "./viewspanel.js";

const BETWEEN_VIEWS = 16;

export class TablesPanel extends ViewsPanel {
  static panelName = "tables";
  static panelTitle = "page tables";
  static narrowest = 430;
  static concerns = new Set(["mapped", "tables_spill", "killed", "starved", "enomem", "tables_walked"]);

  /** host: see deckHost in panels.js. */
  constructor(host) {
    super(makeElement("div", "tables"), BETWEEN_VIEWS, () => new TreeView(host));
  }
}
