// How high the stage may be, which depends on the page around it.

import { clamp } from "./format.js";

const NOTEBOOK_AROUND = 150;
const HIGHEST_NOTEBOOK = 860;
const SMALLEST_FIT = 600;
const MOST_AROUND = 0.4;

/** Height for the stage: the window's rest in a page of its own, a part of it in a notebook. */
export function stageRoom(root) {
  if (document.fullscreenElement === root) return { height: window.innerHeight, notebook: false };
  const voila = document.body.dataset.voila !== undefined;
  if (!voila && document.querySelector(".jp-LabShell, .jp-NotebookShell")) {
    const room = window.innerHeight - NOTEBOOK_AROUND;
    return { height: clamp(room, SMALLEST_FIT, HIGHEST_NOTEBOOK), notebook: true };
  }
  let around = root.getBoundingClientRect().top + window.scrollY;
  for (let node = root.parentElement; node; node = node.parentElement) {
    const { marginBottom, paddingBottom } = getComputedStyle(node);
    around += (parseFloat(marginBottom) || 0) + (parseFloat(paddingBottom) || 0);
    if (node !== document.documentElement) around += node.scrollTop;
  }
  const most = window.innerHeight * MOST_AROUND;
  const height = Math.floor(window.innerHeight - Math.min(around, most));
  return { height: Math.max(SMALLEST_FIT, height), notebook: false };
}
