// <reel-viewer>: one frame of a reel, large, with its overlays, comparisons and tools.
//
// Attributes: reel (id). Events: "opened" {facts}, "frame" {frame}, "edited" {}, "asked" {frame, blob, none}, "failed"
// {said}, "changed" {}, "review" {state}, "number" {}.

import {get, reel, send} from "./api.js";
import {blobAt, blobBeside} from "./blobs.js";
import {Hand} from "./hand.js";
import {pressed} from "./keys.js";
import {Layers} from "./layers.js";
import {Player} from "./player.js";
import {crosshair, operation, sketch} from "./tools.js";
import {View} from "./view.js";

const AHEAD = 6;             // frames fetched before they are asked for
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
  range = [null, null];       // first and last frame of lines and boxes, where that is not the shot
  canvas = null; view = new View(); wipe = 0.5;
  #layers = null; #flipped = false; #hand; #note; #held = null; #drawn = 0;

  player = new Player(this, () => this.#layers.now(this.#layers.source(this.frame)));

  connectedCallback() {
    if (this.canvas) return;
    this.tabIndex = 0;
    this.setAttribute("role", "application");
    this.setAttribute("aria-label", "Frame viewer");
    this.canvas = document.createElement("canvas");
    this.#note = document.createElement("div");
    this.#note.className = "viewer-note";
    this.#note.setAttribute("role", "status");
    this.append(this.canvas, this.#note);
    new ResizeObserver(() => this.#resize()).observe(this);
    this.addEventListener("keydown", (event) => { if (this.#hand.pressed(event) || pressed(this, event)) event.preventDefault(); });
    this.#hand = new Hand(this);
    this.#resize();
    if (this.getAttribute("reel")) this.open(this.getAttribute("reel"));
  }

  attributeChangedCallback(name, old, now) { if (this.canvas && now && now !== old) this.open(now); }

  // Another reel, from its first frame.
  async open(id) {
    this.#say("Opening…");
    try {
      this.facts = await get(reel(id));
      this.#layers = new Layers(id, (frame) => { if (frame === this.frame || this.shown.strip) this.draw(); },
        (frame, error) => { if (frame === this.frame) this.#fail(error); });
      this.#agree();
      this.#held = null;
      this.view = new View();
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

  // The frames of a line or a box that is drawn now.
  get stretch() {
    const shot = this.shotOf(this.frame);
    return this.range.map((one, n) => one ?? shot[n]);
  }

  // To the shot before or after.
  goShot(by) {
    const [first, last] = this.shotOf(this.frame);
    this.go(by > 0 ? last + 1 : this.frame > first ? first : this.shotOf(first - 1)[0]);
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
    const {width, height} = this.canvas;
    return {at: this.view.film(width / 2, height / 2), scale: this.view.scale, fitted: this.view.fitted};
  }

  #resize() {
    const box = this.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * ratio));
    this.canvas.height = Math.max(1, Math.round(box.height * ratio));
    this.draw();
  }

  draw() {
    if (this.#drawn) return;
    this.#drawn = requestAnimationFrame(() => { this.#drawn = 0; this.#paint(); });
  }

  #paint() {
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.facts) return;
    if (this.view.fitted) this.view.fit(this.canvas, ...this.#extent());
    const {proxy, width} = this.facts;
    this.#layers.proxy = proxy && this.compare === "off" && this.view.scale * width <= proxy * CLOSE ? proxy : null;
    const own = this.#layers.ready(this.#layers.source(this.frame), this.frame), source = own ?? this.#held;
    if (!source) return;
    // Until its own has come, the picture before stays: nothing flickers.
    this.painted = own ? this.frame : -1;
    this.#held = source;
    context.imageSmoothingEnabled = this.view.scale < 1;
    context.imageSmoothingQuality = "high";
    if (this.#note.textContent.startsWith("repair") && (this.shown.strip || this.compare === "off")) this.#say("");
    if (this.shown.strip) this.#paintStrip(context);
    else if (this.compare === "off") this.#place(context, source, 0, true);
    else this.#paintCompared(context, source);
    const {points, at} = this.#hand, place = (x, y) => this.view.canvas(...this.beside(x, y));
    if (points) sketch(context, this.tool, points, place, this.radius * this.view.scale);
    if (at) crosshair(context, place(...at), this.view.scale);
  }

  // Width and height that all that is shown takes, pixels of film.
  #extent() {
    const {width, height} = this.facts;
    if (this.shown.strip) return [3 * width, height];
    return this.compare === "beside" ? [2 * width, height] : [width, height];
  }

  // A place of the frame among the pictures that are shown, and back.
  beside = (x, y) => [x + (this.shown.strip ? this.facts.width : 0), y];
  within([x, y]) {
    const right = this.shown.strip || (this.compare === "beside" && x >= this.facts.width - 0.5);
    return [right ? x - this.facts.width : x, y];
  }

  get wipeAt() { return this.view.x + this.wipe * this.facts.width * this.view.scale; }

  // A picture, `column` widths of the frame to the right.
  #place(context, picture, column, overlaid, frame = this.frame) {
    const {scale, x, y} = this.view, {width, height} = this.facts;
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
      const at = this.wipeAt;
      this.#place(context, source, 0, true);
      context.save();
      context.beginPath();
      context.rect(at, 0, this.canvas.width, this.canvas.height);
      context.clip();
      this.#place(context, other, 0, false);
      context.restore();
      context.fillStyle = "#ffb454";
      context.fillRect(at - 1, 0, 2, this.canvas.height);
      context.fillRect(at - BAR / 2, this.canvas.height / 2 - 18, BAR, 36);
    }
  }

  // What the hand has drawn or pointed at.
  async done(points, shift) {
    if (this.tool === "ask") { await this.#ask(points[0]); return; }
    const given = {frame: this.frame, radius: this.radius, stretch: this.stretch, shift};
    const edit = operation(this.tool, points, given);
    if (!edit) return;
    if (edit.kind !== "line") { await this.edit("edits", edit); return; }
    // A scratch is drawn once and goes where it wanders; many frames have to be read for that.
    this.#say("following the line…");
    await this.edit(`follow/${this.frame}`, edit);
    if (this.#note.textContent.startsWith("following")) this.#say("");
  }

  // "edits" or "follow/FRAME" with an operation, "undo" or "redo".
  async edit(what, body = {}) {
    try {
      await send(`${this.#base}/${what}`, body);
      this.refresh();
      this.#send("edited", {});
    } catch (error) { this.#fail(error); }
  }

  // What is known of the blob at a place.
  async #ask(place) {
    await this.#blobs((blobs, frame) => this.#send("asked", {frame, blob: blobAt(blobs, place)}));
  }

  // Put the crosshair on the next blob of the frame, or the one before.
  async step(by) {
    await this.#blobs((blobs, frame) => {
      const blob = blobBeside(blobs, this.#hand.at, by);
      if (blob) this.#hand.point([blob.x, blob.y]);
      this.#send("asked", {frame, blob, none: true});
    });
  }

  async #blobs(use) {
    const {frame} = this;
    try {
      const blobs = await get(`${this.#base}/blobs/${frame}`);
      if (frame === this.frame) use(blobs, frame);
    } catch (error) { this.#fail(error); }
  }

  zoomTo(scale) {
    if (!this.facts) return;
    if (scale === "fit") { this.view.fit(this.canvas, ...this.#extent()); this.draw(); return; }
    this.view.zoom(scale, this.canvas.width / 2, this.canvas.height / 2);
    this.draw();
  }

  get zoom() { return this.view.scale; }

  flip() { this.#flipped = !this.#flipped; this.draw(); }

  review(state) { this.#send("review", {state}); }

  askNumber() { this.#send("number", {}); }

  pick(tool) { this.set({tool}); this.#send("changed", {}); }

  toggle(name) {
    this.shown = {...this.shown, [name]: !this.shown[name]};
    if (name === "strip") this.view.fitted = true;
    this.draw();
    this.#send("changed", {});
  }

  #say(text) { if (this.#note.textContent !== text) this.#note.textContent = text; }
  #fail(error) { this.#say(error.message); this.#send("failed", {said: error.message}); }
  #send(name, detail) { this.dispatchEvent(new CustomEvent(name, {detail})); }
}

customElements.define("reel-viewer", ReelViewer);
