// <reel-viewer>: one frame of a reel, large, with its overlays, comparisons and tools.
//
// Attributes: reel (id). Events: "frame" {frame}, "edited" {}, "asked" {frame, x, y, blob}, "failed" {said}.

import {get, reel, send} from "./api.js";
import {pressed} from "./keys.js";
import {Layers} from "./layers.js";
import {operation, sketch} from "./tools.js";
import {View} from "./view.js";

const AHEAD = 6;             // frames fetched before they are asked for
const LIGHTLY = 1.2;         // how much a notch of the wheel zooms
const CLOSE = 1.25;          // how much a proxy may be enlarged
const BAR = 7;               // width of the wipe's handle, pixels

class ReelViewer extends HTMLElement {
  static observedAttributes = ["reel"];

  painted = -1;               // the frame whose own picture is on the canvas
  facts = null; frame = 0; compare = "off"; tool = "pan"; radius = 6; palette = "plain";
  threshold = null;           // of the damage map, instead of the mask that was found
  shown = {mask: true, damage: false, kinds: false, invented: false, strip: false};
  options = {};               // of the repair that is compared with
  shots = [0];
  #layers = null; #view = new View(); #wipe = 0.5; #flipped = false;
  #gesture = null; #playing = 0; #timer = 0; #canvas; #note; #held = null; #drawn = 0;

  connectedCallback() {
    if (this.#canvas) return;
    this.tabIndex = 0;
    this.setAttribute("role", "application");
    this.setAttribute("aria-label", "Frame viewer");
    this.#canvas = document.createElement("canvas");
    this.#note = document.createElement("div");
    this.#note.className = "viewer-note";
    this.#note.setAttribute("role", "status");
    this.append(this.#canvas, this.#note);
    new ResizeObserver(() => this.#resize()).observe(this);
    this.addEventListener("keydown", (event) => { if (pressed(this, event)) event.preventDefault(); });
    this.#canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#up(event));
    this.#canvas.addEventListener("pointercancel", () => { this.#gesture = null; this.draw(); });
    this.#canvas.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
    this.#resize();
    if (this.getAttribute("reel")) this.open(this.getAttribute("reel"));
  }

  attributeChangedCallback(name, old, now) { if (this.#canvas && now && now !== old) this.open(now); }

  // Another reel, from its first frame.
  async open(id) {
    this.#say("Opening…");
    try {
      this.facts = await get(reel(id));
      this.#layers = new Layers(id, (frame) => { if (frame === this.frame || this.shown.strip) this.draw(); },
        (frame, error) => { if (frame === this.frame) this.#fail(error); });
      this.#agree();
      this.#held = null;
      this.#view = new View();
      this.go(0);
      this.#say("");
      this.#send("opened", {facts: this.facts});
    } catch (error) { this.#fail(error); }
  }

  get #base() { return reel(this.facts.id); }
  get last() { return this.facts?.frames ? this.facts.frames - 1 : Infinity; }

  // The first and last frame of the shot that a frame is in.
  shotOf(frame) {
    let first = 0, last = Number.isFinite(this.last) ? this.last : frame;
    for (const begin of this.shots) { if (begin <= frame) first = begin; else { last = begin - 1; break; } }
    return [first, last];
  }

  go(frame) {
    if (!this.facts) return;
    const next = Math.round(Math.max(0, Math.min(this.last, frame)));
    const forward = next >= this.frame;
    this.frame = next;
    this.draw();
    this.#send("frame", {frame: next});
    for (let n = 1; n <= AHEAD; n++) {
      const other = next + (forward ? n : -n);
      if (other >= 0 && other <= this.last) this.#layers.load(this.#layers.source(other)).catch(() => {});
    }
  }

  // Masks, repairs and findings are others now.
  refresh() {
    this.#layers?.refresh();
    this.draw();
  }

  set(values) {
    Object.assign(this, values);
    this.#agree();
    if ("options" in values || "threshold" in values) this.refresh(); else this.draw();
  }

  #agree() {
    const {palette, threshold, options} = this;
    if (this.#layers) Object.assign(this.#layers, {palette, threshold, options});
  }

  // Where it looks: the place of the film in its middle, its zoom, and whether it fits the whole.
  get look() {
    const {width, height} = this.#canvas;
    return {at: this.#view.film(width / 2, height / 2), scale: this.#view.scale, fitted: this.#view.fitted};
  }

  #resize() {
    const box = this.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.max(1, Math.round(box.width * ratio));
    this.#canvas.height = Math.max(1, Math.round(box.height * ratio));
    this.draw();
  }

  draw() {
    if (this.#drawn) return;
    this.#drawn = requestAnimationFrame(() => { this.#drawn = 0; this.#paint(); });
  }

  #paint() {
    const context = this.#canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (!this.facts) return;
    if (this.#view.fitted) this.#view.fit(this.#canvas, ...this.#extent());
    const {proxy, width} = this.facts;
    this.#layers.proxy = proxy && this.compare === "off" && this.#view.scale * width <= proxy * CLOSE ? proxy : null;
    const own = this.#layers.ready(this.#layers.source(this.frame), this.frame), source = own ?? this.#held;
    if (!source) return;
    // Until its own has come, the picture before stays: nothing flickers.
    this.painted = own ? this.frame : -1;
    this.#held = source;
    context.imageSmoothingEnabled = this.#view.scale < 1;
    context.imageSmoothingQuality = "high";
    if (this.#note.textContent.startsWith("repair") && (this.shown.strip || this.compare === "off")) this.#say("");
    if (this.shown.strip) this.#paintStrip(context);
    else if (this.compare === "off") this.#place(context, source, 0, true);
    else this.#paintCompared(context, source);
    if (this.#gesture?.points) sketch(context, this.tool, this.#gesture.points, this.#view, this.radius);
  }

  // Width and height that all that is shown takes, pixels of film.
  #extent() {
    const {width, height} = this.facts;
    if (this.shown.strip) return [3 * width, height];
    return this.compare === "beside" ? [2 * width, height] : [width, height];
  }

  // A picture, `column` widths of the frame to the right.
  #place(context, picture, column, overlaid, frame = this.frame) {
    const {scale, x, y} = this.#view, {width, height} = this.facts;
    const box = [x + column * width * scale, y, width * scale, height * scale];
    context.drawImage(picture, ...box);
    if (!overlaid) return;
    for (const one of this.#layers.over(frame, this.shown)) context.drawImage(one, ...box);
  }

  #paintStrip(context) {
    [this.frame - 1, this.frame, this.frame + 1].forEach((frame, column) => {
      if (frame < 0 || frame > this.last) return;
      const picture = this.#layers.ready(this.#layers.source(frame), frame);
      if (picture) this.#place(context, picture, column, column === 1, frame);
    });
  }

  #paintCompared(context, source) {
    const address = this.#layers.repaired(this.frame);
    const other = this.#layers.ready(address, this.frame), seconds = this.#layers.headers(address)?.get("x-seconds");
    this.#say(other ? `repaired in ${seconds} s` : "repairing…");
    if (!other) { this.#place(context, source, 0, true); return; }
    if (this.compare === "beside") {
      this.#place(context, source, 0, true);
      this.#place(context, other, 1, false);
    } else if (this.compare === "flip") {
      this.#place(context, this.#flipped ? other : source, 0, false);
    } else if (this.compare === "difference") {
      const made = this.#layers.difference(this.frame, source, other);
      if (made) this.#place(context, made, 0, false);
    } else {
      const at = this.#view.x + this.#wipe * this.facts.width * this.#view.scale;
      this.#place(context, source, 0, true);
      context.save();
      context.beginPath();
      context.rect(at, 0, this.#canvas.width, this.#canvas.height);
      context.clip();
      this.#place(context, other, 0, false);
      context.restore();
      context.fillStyle = "#ffb454";
      context.fillRect(at - 1, 0, 2, this.#canvas.height);
      context.fillRect(at - BAR / 2, this.#canvas.height / 2 - 18, BAR, 36);
    }
  }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect(), ratio = this.#canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  #down(event) {
    if (!this.facts || event.button > 1) return;
    this.focus({preventScroll: true});
    const [x, y] = this.#at(event);
    const wipe = this.#view.x + this.#wipe * this.facts.width * this.#view.scale;
    this.#canvas.setPointerCapture(event.pointerId);
    if (this.compare === "wipe" && Math.abs(x - wipe) < 12) this.#gesture = {wipe: true};
    else if (this.tool === "pan" || event.button === 1) this.#gesture = {from: [x, y]};
    else this.#gesture = {points: [this.#view.film(x, y)]};
    this.draw();
  }

  #move(event) {
    if (!this.#gesture) return;
    const [x, y] = this.#at(event);
    if (this.#gesture.wipe) {
      this.#wipe = Math.min(1, Math.max(0, (x - this.#view.x) / (this.facts.width * this.#view.scale)));
    } else if (this.#gesture.from) {
      this.#view.pan(x - this.#gesture.from[0], y - this.#gesture.from[1]);
      this.#gesture.from = [x, y];
    } else if (this.#gesture.points.length < 5000) this.#gesture.points.push(this.#view.film(x, y));
    this.draw();
  }

  async #up(event) {
    const gesture = this.#gesture;
    this.#gesture = null;
    this.draw();
    if (!gesture?.points) return;
    if (this.tool === "ask") { await this.#ask(gesture.points[0]); return; }
    const given = {frame: this.frame, radius: this.radius, shot: this.shotOf(this.frame), shift: event.shiftKey};
    const edit = operation(this.tool, gesture.points, given);
    // A scratch is drawn once and goes where it wanders.
    if (edit) await this.edit(edit.kind === "line" ? `follow/${this.frame}` : "edits", edit);
  }

  // "edits" or "follow/FRAME" with an operation, "undo" or "redo".
  async edit(what, body = {}) {
    try {
      await send(`${this.#base}/${what}`, body);
      this.refresh();
      this.#send("edited", {});
    } catch (error) { this.#fail(error); }
  }

  async #ask([x, y]) {
    try {
      const blobs = await get(`${this.#base}/blobs/${this.frame}`);
      const inside = blobs.filter((one) => x >= one.left - 1 && x <= one.left + one.width
        && y >= one.top - 1 && y <= one.top + one.height);
      inside.sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
      this.#send("asked", {frame: this.frame, x, y, blob: inside[0] ?? null});
    } catch (error) { this.#fail(error); }
  }

  #wheel(event) {
    event.preventDefault();
    if (!this.facts) return;
    this.#view.zoom(this.#view.scale * (event.deltaY < 0 ? LIGHTLY : 1 / LIGHTLY), ...this.#at(event));
    this.draw();
  }

  zoomTo(scale) {
    if (!this.facts) return;
    if (scale === "fit") { this.#view.fit(this.#canvas, ...this.#extent()); this.draw(); return; }
    this.#view.zoom(scale, this.#canvas.width / 2, this.#canvas.height / 2);
    this.draw();
  }

  get zoom() { return this.#view.scale; }

  // J and L play backwards and forwards, faster with every press; K stops.
  play(direction) {
    const same = Math.sign(this.#playing) === direction;
    this.#playing = direction === 0 ? 0 : same ? Math.sign(direction) * Math.min(8, Math.abs(this.#playing) * 2) : direction;
    clearInterval(this.#timer);
    if (!this.#playing || !this.facts) return;
    const [over, under = 1] = this.facts.rate.split("/").map(Number);
    this.#timer = setInterval(() => {
      const next = this.frame + Math.sign(this.#playing);
      if (next < 0 || next > this.last) { this.play(0); return; }
      // A frame that has not come yet is waited for: nothing is skipped.
      if (this.#layers.now(this.#layers.source(this.frame))) this.go(next);
    }, 1000 / (over / under) / Math.abs(this.#playing));
  }

  flip() { this.#flipped = !this.#flipped; this.draw(); }

  pick(tool) { this.set({tool}); this.#send("changed", {}); }

  toggle(name) {
    this.shown = {...this.shown, [name]: !this.shown[name]};
    if (name === "strip") this.#view.fitted = true;
    this.draw();
    this.#send("changed", {});
  }

  #say(text) { if (this.#note.textContent !== text) this.#note.textContent = text; }
  #fail(error) { this.#say(error.message); this.#send("failed", {said: error.message}); }
  #send(name, detail) { this.dispatchEvent(new CustomEvent(name, {detail})); }
}

customElements.define("reel-viewer", ReelViewer);
