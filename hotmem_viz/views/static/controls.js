// The transport bar: buttons, scrub bar with event marks, speed, loop, where we are.

import { clamp, formatCount } from "./format.js";
import { SPEEDS } from "./transport.js";
import { makeButton, makeElement, makeIcon, setText } from "./dom.js";
import { makeChip } from "./side.js";

const BUTTONS = [
  ["first", "First (Home)"],
  ["previousMark", "Previous mark (Page Up)"],
  ["back", "Step back (←)"],
  ["toggle", "Play (Space)"],
  ["step", "Step (→)"],
  ["nextMark", "Next mark (Page Down)"],
  ["last", "Last (End)"],
];

const speedLabel = (speed) => (speed >= 1 ? `${speed}×` : `1/${1 / speed}×`);

export class TransportBar {
  constructor({ onAction, onSeek, onSpeed }) {
    this.onSeek = onSeek;
    this.buttons = {};
    for (const [action, label] of BUTTONS) {
      const icon = action === "toggle" ? "play" : action;
      this.buttons[action] = makeButton(icon, label, () => onAction(action), action === "toggle" ? "primary" : "");
    }
    this.loop = makeButton("loop", "Loop (o)", () => onAction("loop"));
    this.speed = makeElement("select", "select", { title: "Speed (+ and −)", "aria-label": "speed" });
    for (const speed of SPEEDS) {
      this.speed.append(makeElement("option", "", { value: speed, selected: speed === 1 }, speedLabel(speed)));
    }
    this.speed.addEventListener("change", () => onSpeed(Number(this.speed.value)));
    this.makeScrub();
    this.tickText = makeElement("span", "tick-text");
    this.timeText = makeElement("span", "time-text");
    const place = makeElement("div", "place", {}, [this.tickText, this.timeText]);
    this.el = makeElement("nav", "transport", { "aria-label": "time" }, [
      makeElement("div", "buttons", {}, Object.values(this.buttons)),
      this.scrub,
      makeElement("div", "options", {}, [this.speed, this.loop, place]),
    ]);
  }

  makeScrub() {
    this.fill = makeElement("div", "scrub-fill");
    this.knob = makeElement("div", "scrub-knob");
    this.marks = makeElement("div", "scrub-marks");
    this.tip = makeElement("div", "scrub-tip", { hidden: true });
    this.chips = makeElement("div", "scrub-chips", { "aria-hidden": "true" });
    const track = makeElement("div", "scrub-track", {}, [this.fill]);
    this.rail = makeElement("div", "scrub-rail", {}, [track, this.marks, this.knob]);
    this.scrub = makeElement(
      "div",
      "scrub",
      { role: "slider", "aria-label": "tick", "aria-valuemin": 0 },
      [this.chips, this.rail, this.tip],
    );
    const tickAt = (event) => {
      const box = this.rail.getBoundingClientRect();
      const share = clamp((event.clientX - box.left) / box.width, 0, 1);
      return Math.round(share * (this.ticks - 1));
    };
    this.scrub.addEventListener("pointerdown", (event) => {
      this.scrub.setPointerCapture(event.pointerId);
      this.onSeek(this.markNear(event)?.position ?? tickAt(event));
    });
    this.scrub.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this.onSeek(tickAt(event));
      this.showTip(event, tickAt(event));
    });
    this.scrub.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
  }

  markNear(event) {
    const box = this.rail.getBoundingClientRect();
    const x = event.clientX - box.left;
    const away = (mark) => Math.abs((mark.position / Math.max(1, this.ticks - 1)) * box.width - x);
    const near = this.timeline.marks.filter((mark) => away(mark) < 6);
    const lower = event.clientY > box.top + box.height / 2;
    const other = (mark) => Number(this.paired && (mark.side > 0) !== lower);
    return near.sort((a, b) => other(a) - other(b) || away(a) - away(b))[0];
  }

  describeMark({ side, event, position }) {
    return `${this.paired ? `${this.letters[side]} · ` : ""}${event.title} · ${this.word} ${position}`;
  }

  showTip(event, tick) {
    const mark = this.markNear(event);
    setText(this.tip, mark ? this.describeMark(mark) : `${this.word} ${tick}`);
    this.tip.hidden = false;
    const box = this.scrub.getBoundingClientRect();
    const half = this.tip.offsetWidth / 2;
    const x = clamp(event.clientX - box.left, half, Math.max(half, box.width - half));
    this.tip.style.left = `${x}px`;
  }

  /** Take a timeline and the sides that go along it (see side.js). */
  load(timeline, sides, theme) {
    this.timeline = timeline;
    this.ticks = timeline.positions;
    this.paired = sides.length > 1;
    this.letters = sides.map((side) => side.letter);
    this.word = this.paired && timeline.by !== "tick" ? "position" : "tick";
    this.scrub.setAttribute("aria-label", this.word);
    this.chips.replaceChildren(...(sides.length === 2 ? sides.map((side) => makeChip(side.index)) : []));
    this.scrub.setAttribute("aria-valuemax", this.ticks - 1);
    this.marks.style.setProperty("--hotmem-sides", sides.length);
    this.marks.replaceChildren(
      ...timeline.marks.map(({ side, event, position }) => {
        const mark = makeElement("i", this.paired ? `mark mark-of mark-of${side}` : "mark");
        mark.style.setProperty("--hotmem-place", side / sides.length);
        mark.style.left = `${(100 * position) / Math.max(1, this.ticks - 1)}%`;
        mark.style.background = sides[side].recording.eventKinds.get(event.kind)?.[theme] ?? "currentColor";
        return mark;
      }),
    );
    const digits = formatCount(this.ticks - 1).length;
    this.tickText.style.minWidth = `${digits * 2 + this.word.length + 2.5}ch`;
    this.playing = undefined;
  }

  draw(state) {
    const { tick, ticks, playing, speed, loop } = state;
    const share = ticks > 1 ? tick / (ticks - 1) : 0;
    this.fill.style.transform = `scaleX(${share})`;
    this.knob.style.left = `${100 * share}%`;
    this.scrub.setAttribute("aria-valuenow", tick);
    setText(this.tickText, `${this.word} ${formatCount(tick)} / ${formatCount(ticks - 1)}`);
    setText(this.timeText, this.timeline.describe(tick));
    if (playing !== this.playing) {
      this.playing = playing;
      const label = playing ? "Pause (Space)" : "Play (Space)";
      this.buttons.toggle.replaceChildren(makeIcon(playing ? "pause" : "play"));
      this.buttons.toggle.title = label;
      this.buttons.toggle.setAttribute("aria-label", label);
    }
    this.loop.setAttribute("aria-pressed", String(loop));
    if (Number(this.speed.value) !== speed) this.speed.value = String(speed);
    this.buttons.first.disabled = this.buttons.back.disabled = this.buttons.previousMark.disabled = tick === 0;
    this.buttons.last.disabled = this.buttons.step.disabled = this.buttons.nextMark.disabled = tick === ticks - 1;
  }
}
