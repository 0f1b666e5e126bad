// Why: what happened, in words, from the model's own numbers. Screen readers get the same.

import { lastBefore } from "./playback.js";
import { makeElement } from "./dom.js";

export class CaptionPanel {
  /** chip: a letter for what it tells of, where there are several. */
  constructor(chip) {
    this.chip = chip;
    this.title = makeElement("strong", "caption-title");
    this.text = makeElement("span", "caption-text");
    this.meta = makeElement("p", "caption-meta");
    this.el = makeElement("section", "caption", { "aria-live": "polite", "aria-label": "caption" }, [
      makeElement("p", "caption-body", {}, [this.chip, this.title, " ", this.text]),
      this.meta,
    ]);
  }

  load(recording) {
    this.recording = recording;
    this.shown = undefined;
  }

  draw(tick, theme) {
    const { recording } = this;
    const caption = lastBefore(recording.meta.captions, tick);
    const key = `${caption?.tick}/${caption?.title}/${theme}`;
    if (key === this.shown) return;
    this.shown = key;
    const event = recording.events.find((e) => e.tick === caption?.tick && e.title === caption?.title);
    const kind = recording.eventKinds.get(event?.kind);
    this.el.style.setProperty("--hotmem-mark", kind ? kind[theme] : "var(--hotmem-accent)");
    this.title.textContent = caption?.title ?? "";
    this.text.textContent = caption?.text ?? "";
    this.meta.replaceChildren(...this.metaParts(caption ?? {}));
    this.el.scrollTop = 0;
  }

  /** Height of the highest caption of some recordings, so that nothing jumps while playing. */
  measure(recordings = [this.recording]) {
    const probe = this.el.cloneNode(false);
    for (const name of ["aria-live", "aria-label"]) probe.removeAttribute(name);
    probe.setAttribute("aria-hidden", "true");
    Object.assign(probe.style, { position: "absolute", visibility: "hidden", height: "auto", width: `${this.el.offsetWidth}px` });
    this.el.after(probe);
    let highest = 0;
    for (const caption of recordings.flatMap(({ meta }) => meta.captions)) {
      const title = makeElement("strong", "caption-title", {}, caption.title);
      const text = makeElement("span", "caption-text", {}, caption.text);
      probe.replaceChildren(
        makeElement("p", "caption-body", {}, [this.chip?.cloneNode(true), title, " ", text]),
        makeElement("p", "caption-meta", {}, this.metaParts(caption)),
      );
      highest = Math.max(highest, probe.offsetHeight);
    }
    probe.remove();
    return highest;
  }

  metaParts({ claims = [], rule, function: kernelFunction, unproven, questions = [] }) {
    const parts = claims.map((claim) =>
      makeElement("span", "chip", { title: `claim ${claim} of the mail` }, claim),
    );
    if (unproven) {
      const title = "Nobody has built this: the mail proposes it.";
      parts.push(makeElement("span", "chip unproven", { title }, "unproven"));
    }
    for (const question of questions) {
      parts.push(makeElement("span", "chip", { title: `question ${question}: the mail leaves it open` }, question));
    }
    if (rule) parts.push(makeElement("span", "rule", {}, rule));
    if (kernelFunction) {
      const name = kernelFunction.includes("(") ? kernelFunction : `${kernelFunction}()`;
      parts.push(makeElement("code", "function", {}, name));
    }
    return parts;
  }
}
