// The line to the kernel: the settled tick goes out, a ping asks whether anybody is there.
//
// Nothing is sent while playing, and a stage that is not on show asks nothing. An exported page has no
// `model.send`: it is never detached.

const SETTLED_MS = 300;
const PING_EVERY_MS = 10000;
const FIRST_PING_MS = 4000;
const PONG_WITHIN_MS = 5000;

export class KernelLink {
  constructor(model, { isPlaying, isHidden, onAttached }) {
    this.model = model;
    this.isPlaying = isPlaying;
    this.isHidden = isHidden;
    this.onAttached = onAttached;
    this.static = typeof model.send !== "function";
    this.saved = model.get("tick") ?? 0;
    if (this.static) return;
    this.onMessage = (message) => {
      if (message?.type === "pong") this.hear();
    };
    model.on("msg:custom", this.onMessage);
    this.tellWhatWeHave();
    this.timer = setTimeout(() => this.ping(), FIRST_PING_MS);
  }

  /** Messages sent while the page was being put together may be lost: the kernel sends them again. */
  tellWhatWeHave() {
    const has = Object.fromEntries(["run", "address", "busy", "error", "theme"].map((name) => [name, this.model.get(name)]));
    const charted = Object.keys(this.model.get("chart") ?? {}).length > 0;
    try {
      this.model.send({ type: "have", ...has, charted });
    } catch {
      this.onAttached(false);
    }
  }

  /** The tick has changed; it is saved when it has stood still for a moment. */
  settle(tick) {
    clearTimeout(this.settling);
    if (this.static || this.isPlaying() || tick === this.saved) return;
    this.settling = setTimeout(() => {
      if (this.isPlaying()) return;
      this.saved = tick;
      this.save("tick", tick);
    }, SETTLED_MS);
  }

  /** Let the kernel know a value that was chosen here. */
  save(name, value) {
    try {
      this.model.set(name, value);
      this.model.save_changes();
    } catch {
      this.onAttached(false);
    }
  }

  ping() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ping(), PING_EVERY_MS);
    if (this.isPlaying() || this.isHidden() || document.hidden || this.model.get("busy")) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.onAttached(false), PONG_WITHIN_MS);
    try {
      this.model.send({ type: "ping" });
    } catch {
      this.onAttached(false);
    }
  }

  hear() {
    clearTimeout(this.waiting);
    this.onAttached(true);
  }

  stop() {
    for (const timer of [this.timer, this.waiting, this.settling]) clearTimeout(timer);
    if (!this.static) this.model.off?.("msg:custom", this.onMessage);
  }
}
