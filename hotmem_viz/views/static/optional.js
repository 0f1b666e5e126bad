// The panels that a recording may ask for: its `meta.panels` names them.
//
// A panel is a class. Of the class: `panelName`, as in `meta.panels`; `panelTitle`, for people;
// `narrowest`, the css pixels it can do with beside others; `concerns`, the event kinds that it is
// about; `isAbout(event)` adds events that their kind does not tell. Made with what it may ask of
// the stage (see deckHost in panels.js) it has
//   el                    its element
//   load(sides, view)     take recordings, or another theme: sides (see side.js) that name it
//   draw(sides, view)     show the ticks where the sides stand; a function of those alone
//   narrowest             the css pixels it can do with, where sides change that of the class
//   least(width)          the height it can do with
//   resize(width, height) lay out in that room; returns the height it took
// Sizes are css pixels of `el`. A recording without the panel's track gets a line that says so.

import { AddressMapPanel } from "./address_map.js";
import { LanesPanel } from "./lanes.js";
import { MetersPanel } from "./meters.js";
import { ScoreboardPanel } from "./scoreboard.js";
import { TablesPanel } from "./tablespanel.js";

/** In order of their places. */
export const OPTIONAL_PANELS = [LanesPanel, AddressMapPanel, TablesPanel, MetersPanel, ScoreboardPanel];
