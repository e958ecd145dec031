// <reel-timeline>: damage of every frame as bars, what the repairer was unsure of, shots with their state, edits, and
// which frames are rendered as they are now; a click goes there.
//
// Event: "chosen" {frame}.

const UNSURE = 1e-4;         // share of a frame's pixels from which on it is marked
const TEXT = 14;             // size of the page's text that marks are made for, pixels
const STATES = {"to do": "#6b6b6b", approved: "#4c9f70", rejected: "#c75c5c"};
const SAFE = {"to do": "#6b6b6b", approved: "#56b4e9", rejected: "#e69f00"};

class ReelTimeline extends HTMLElement {
  data = {damaged: [], shots: [], reviews: {}, edited: [], rendered: [], unsure: []};
  frame = 0; count = 0; palette = "plain";
  #canvas; #drawn = 0;

  connectedCallback() {
    if (this.#canvas) return;
    this.#canvas = document.createElement("canvas");
    this.append(this.#canvas);
    this.setAttribute("role", "slider");
    this.setAttribute("aria-label", "Frame");
    this.tabIndex = 0;
    new ResizeObserver(() => this.draw()).observe(this);
    const choose = (event) => {
      const box = this.getBoundingClientRect();
      const frame = Math.floor((event.clientX - box.left) / box.width * this.#frames);
      this.dispatchEvent(new CustomEvent("chosen", {detail: {frame: Math.max(0, Math.min(this.#frames - 1, frame))}}));
    };
    this.addEventListener("pointerdown", (event) => { this.setPointerCapture(event.pointerId); choose(event); });
    this.addEventListener("pointermove", (event) => { if (event.buttons) choose(event); });
    this.addEventListener("keydown", (event) => {
      const by = {ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24}[event.key];
      if (!by) return;
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("chosen", {detail: {frame: this.frame + by}}));
    });
  }

  get #frames() { return Math.max(this.count || 0, this.data.damaged.length, this.frame + 1, 1); }

  set(values) {
    Object.assign(this, values);
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", String(this.#frames - 1));
    this.setAttribute("aria-valuenow", String(this.frame));
    this.draw();
  }

  draw() {
    if (this.#drawn || !this.#canvas) return;
    this.#drawn = requestAnimationFrame(() => { this.#drawn = 0; this.#paint(); });
  }

  #paint() {
    const box = this.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    // Marks grow with the page's text.
    const unit = ratio * parseFloat(getComputedStyle(document.documentElement).fontSize) / TEXT;
    const canvas = this.#canvas, width = Math.max(1, Math.round(box.width * ratio));
    const height = Math.max(1, Math.round(box.height * ratio));
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext("2d"), frames = this.#frames, {damaged, shots, reviews, edited, rendered = [], unsure = []} = this.data;
    const at = (frame) => frame / frames * width, foot = height - 14 * unit;
    const colours = this.palette === "safe" ? SAFE : STATES;
    shots.forEach((first, n) => {
      const end = n + 1 < shots.length ? shots[n + 1] : Math.max(damaged.length, first + 1);
      context.fillStyle = n % 2 ? "#2b2b2b" : "#303030";
      context.fillRect(at(first), 0, at(end) - at(first), foot);
      context.fillStyle = colours[reviews[first] ?? "to do"];
      context.fillRect(at(first), foot + 2 * unit, Math.max(1, at(end) - at(first) - unit), 6 * unit);
    });
    // The root: a frame with a speck is to be seen beside one that is half lost.
    const most = Math.sqrt(Math.max(1e-6, ...damaged));
    const step = Math.max(1, Math.floor(frames / width));
    context.fillStyle = "#d08a3c";
    for (let n = 0; n < damaged.length; n += step) {
      let worst = 0;
      for (let m = n; m < Math.min(damaged.length, n + step); m++) worst = Math.max(worst, damaged[m]);
      const tall = Math.sqrt(worst) / most * (foot - 4);
      context.fillRect(at(n), foot - tall, Math.max(1, width * step / frames - (width / frames > 3 ? 1 : 0)), tall);
    }
    context.fillStyle = "#e0669a";
    unsure.forEach((value, n) => { if (value > UNSURE) context.fillRect(at(n), foot - 3 * unit, Math.max(1, width / frames), 3 * unit); });
    context.fillStyle = "#9a9a9a";
    rendered.forEach((there, n) => { if (there) context.fillRect(at(n), foot + 10 * unit, Math.max(1, width / frames), 2 * unit); });
    context.fillStyle = "#8ecdf2";
    for (const frame of edited) context.fillRect(at(frame), 0, Math.max(2, width / frames), 4 * unit);
    context.fillStyle = "#fff";
    context.fillRect(at(this.frame + 0.5) - unit, 0, 2 * unit, height);
  }
}

customElements.define("reel-timeline", ReelTimeline);
