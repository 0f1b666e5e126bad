// The page's address: who reads it, when it is written, and a copy of it for somebody else.
//
// A stage's `address` says whose it is: "none" (JupyterLab's), "wait" (ours, not yet to be written),
// "write", or "own" (an exported page, whose stage reads it as well).

const SETTLED_ADDRESS_MS = 300;
const MOST_TOLD = 5000;
const READY_STAGE = '.hotmem-stage[data-ready="true"]';
const LOOK_AGAIN_MS = 100;
const MOST_LOOKS = 200;

/** The page's address with another fragment. */
function addressWith(fragment) {
  const url = new URL(location.href);
  url.hash = fragment;
  return url.href;
}

/** Call `onread` with the page's fragment now, and whenever somebody changes it; returns a stopper. */
export function watchFragment(onread) {
  const read = () => onread(location.hash);
  window.addEventListener("hashchange", read);
  read();
  return () => window.removeEventListener("hashchange", read);
}

/** A widget without a face: tells the kernel what the address says, where the address is ours. */
export function readAddress({ model, el }) {
  el.style.display = "none";
  if (document.body.dataset.voila === undefined) return undefined;
  let stopped = false;
  let stopWatching = () => {};
  let looked = 0;
  // Nobody needs more of a link that is too long than to see that it is.
  const tell = (text) => model.send({ type: "address", text: text.slice(0, MOST_TOLD) });
  // While the page is still being put together, a widget made anew may miss its first messages.
  const start = () => {
    if (stopped) return;
    looked += 1;
    if (document.querySelector(READY_STAGE) || looked > MOST_LOOKS) stopWatching = watchFragment(tell);
    else setTimeout(start, LOOK_AGAIN_MS);
  };
  start();
  return () => {
    stopped = true;
    stopWatching();
  };
}

/** Writes the state on show into the page's address once it has stood still, never while playing. */
export class AddressWriter {
  constructor(model, { describe, isPlaying, isHidden }) {
    Object.assign(this, { model, describe, isPlaying, isHidden });
  }

  get isOurs() {
    return (this.model.get("address") ?? "none") !== "none";
  }

  /** Something that the state holds has changed. */
  change() {
    clearTimeout(this.settling);
    if (!["write", "own"].includes(this.model.get("address"))) return;
    this.settling = setTimeout(() => this.write(), SETTLED_ADDRESS_MS);
  }

  write() {
    const state = this.describe();
    if (!state || this.isPlaying() || this.isHidden()) return;
    try {
      history.replaceState(history.state, "", addressWith(state));
    } catch {
      // A page inside another may have no say about its address.
    }
  }

  /** What to hand on: the whole link where the address is ours, else the state; "" without one. */
  get text() {
    const state = this.describe();
    return state && this.isOurs ? addressWith(state) : state;
  }

  stop() {
    clearTimeout(this.settling);
  }
}

/** Put a text on the clipboard; false where the browser does not let us. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The old way, for pages that came over plain http from another machine. */
function copyBySelection(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.style.cssText = "position: fixed; top: 0; opacity: 0;";
  (document.fullscreenElement ?? document.body).append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    focused?.focus?.({ preventScroll: true });
  }
}
