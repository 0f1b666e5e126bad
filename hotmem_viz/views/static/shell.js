// What stands around the panels: title, tools, notices, help, and the grid that holds them.

import { makeButton, makeElement } from "./dom.js";

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
  ["p", "next panel below the map", "help-deck"],
  ["1 to 6", "tell of another side", "help-crowd"],
  ["t", "theme: as the page, light, dark"],
  ["c", "copy the link to what is on show"],
  ["Esc", "close what is open"],
];

const LOST = "Detached: the kernel does not answer. Playing goes on; controls need a kernel.";

function makeHelp() {
  const rows = KEY_HELP.map(([keys, what, classes]) => [
    makeElement("dt", classes, {}, keys),
    makeElement("dd", classes, {}, what),
  ]);
  const clicks = "Click a section to see its pages; click the legend to pick out a kind.";
  return makeElement("div", "help", { role: "dialog", "aria-label": "keys", hidden: true }, [
    makeElement("h3", "", {}, "Keys"),
    makeElement("dl", "facts", {}, rows.flat()),
    makeElement("p", "tip-why", {}, clicks),
  ]);
}

/** The stage's root with everything in its place; returns the parts that change. */
export function makeShell({ bar, deck, chart, side, over, tooltip, onTheme, onLecture, onCopy, onHelp }) {
  const title = makeElement("h2", "title");
  const subtitle = makeElement("span", "subtitle");
  const themeButton = makeButton("auto", "Theme: as the page (t)", onTheme);
  const copyButton = makeButton("link", "Copy link (c)", onCopy);
  const tools = makeElement("div", "tools", {}, [
    copyButton,
    themeButton,
    makeButton("lecture", "Lecture mode (l)", onLecture),
    makeButton("help", "Keys (?)", onHelp),
  ]);
  const head = makeElement("header", "head", {}, [title, subtitle, tools]);
  const busy = makeElement("div", "busy", { "aria-hidden": "true" });
  const error = makeElement("div", "error", { role: "alert", hidden: true });
  const notice = makeElement("div", "notice", { role: "status", hidden: true }, LOST);
  const linkNotice = makeElement("div", "notice", { role: "status", hidden: true });
  const toast = makeElement("div", "toast", { role: "status", hidden: true });
  const runs = makeElement("div", "runs");
  const captions = makeElement("div", "captions");
  const column = makeElement("div", "main", {}, [runs, bar, captions, deck, chart]);
  const grid = makeElement("div", "grid", {}, [column, makeElement("aside", "side", {}, side), ...over]);
  const help = makeHelp();
  const root = makeElement(
    "div",
    "stage",
    {
      tabindex: 0,
      "data-lm-suppress-shortcuts": "true",
      "data-ready": "false",
      "data-playing": "false",
      "data-attached": "true",
      "data-theme": "light",
      "data-tick": "0",
      role: "application",
      "aria-label": "memory stage",
    },
    [head, busy, error, notice, linkNotice, grid, toast, help, tooltip],
  );
  return { root, title, subtitle, themeButton, copyButton, error, notice, linkNotice, toast, runs, captions, main: column, help };
}
