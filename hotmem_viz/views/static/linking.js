// What a stage does with links: writes its state, copies it, and, in a page of its own, follows one.

import { AddressWriter, copyText, watchFragment } from "./address.js";
import { setText } from "./dom.js";
import { KernelLink } from "./link.js";
import { readLink, writeLink } from "./linkstate.js";

const TOAST_MS = 5000;

/** A stage's lines to the outside: `link` to the kernel, `address` to the page's address. */
export function linkStage(stage) {
  const isPlaying = () => Boolean(stage.transport?.playing);
  const isHidden = () => stage.root.clientWidth === 0;
  const describe = () =>
    stage.timeline ? writeLink(stage.timeline, stage.transport.tick, stage.themeChoice) : "";
  return {
    link: new KernelLink(stage.model, { isPlaying, isHidden, onAttached: (attached) => stage.setAttached(attached) }),
    address: new AddressWriter(stage.model, { isPlaying, isHidden, describe }),
  };
}

/** Cut both. */
export function unlinkStage(stage) {
  stage.link.stop();
  stage.address.stop();
  stage.stopAddress?.();
  clearTimeout(stage.toasting);
}

/** The page's address is another's or ours: the button says which, and ours is written. */
export function showAddress(stage) {
  const { address, shell } = stage;
  const what = address.isOurs ? "Copy link (c)" : "Copy this state, for state= in Python (c)";
  shell.copyButton.title = what;
  shell.copyButton.setAttribute("aria-label", what);
  address.change();
}

/** Show a line about a link, or take it away with "". */
export function tellLink(stage, text) {
  const { linkNotice } = stage.shell;
  linkNotice.hidden = !text;
  setText(linkNotice, text);
  stage.measured = null;
  stage.layOut();
}

/** Go where a link says; one to another run is named in a line, and everything is as by default. */
function followLink(stage, text) {
  if (text.length < 2) return;
  let place = { tick: 0, theme: "auto" };
  let problem = "";
  try {
    place = readLink(text, stage.timeline, stage.timeline.positions);
  } catch (error) {
    problem = error.message;
  }
  tellLink(stage, problem);
  stage.setTheme(place.theme);
  stage.seek(place.tick);
  // What could not be read stays in the address until something changes.
  if (problem) stage.address.stop();
}

/** In a page of its own, follow the address, now and later. */
export function followAddress(stage) {
  if (stage.model.get("address") !== "own") return;
  stage.stopAddress = watchFragment((text) => followLink(stage, text));
}

function showToast(stage, text, milliseconds) {
  const { toast } = stage.shell;
  clearTimeout(stage.toasting);
  toast.hidden = !text;
  setText(toast, text);
  if (milliseconds) stage.toasting = setTimeout(() => showToast(stage, ""), milliseconds);
}

/** Copy the link to what is on show, or its state where the address is not ours. */
export async function copyLink(stage) {
  const { text, isOurs } = stage.address;
  if (!text) {
    showToast(stage, "What is on show has no link: no scenario of the catalog has made it.", TOAST_MS);
    return;
  }
  const copied = await copyText(text);
  stage.root.dataset.copied = text;
  if (copied) showToast(stage, `${isOurs ? "Link" : "State"} copied: ${text}`, TOAST_MS);
  else showToast(stage, `The browser keeps its clipboard to itself. To copy by hand: ${text}`);
}

/** Take away what is told about links; false if there was nothing. */
export function closeTold(stage) {
  const { toast, linkNotice } = stage.shell;
  if (toast.hidden && linkNotice.hidden) return false;
  showToast(stage, "");
  tellLink(stage, "");
  return true;
}
