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
    this.timer = setTimeout(() => this.ping(), FIRST_PING_MS);
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
