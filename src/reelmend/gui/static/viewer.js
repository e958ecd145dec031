// <reel-viewer>: one frame of a reel, large, with its overlays, comparisons and tools.
//
// Attributes: reel (id). Events: "frame" {frame}, "edited" {}, "asked" {frame, x, y, blob}, "failed" {said}.

import {get, reel, send} from "./api.js";
import {COLOURS, differencePicture, heatPicture, maskPicture, originPicture} from "./overlays.js";
import {Pictures} from "./pictures.js";
import {TOOLS, operation, sketch} from "./tools.js";
import {View} from "./view.js";

const AHEAD = 6;             // frames fetched before they are asked for
const LIGHTLY = 1.2;         // how much a notch of the wheel zooms
const DIFFERENCE_GAIN = 6;
const BAR = 7;               // width of the wipe's handle, pixels

class ReelViewer extends HTMLElement {
  static observedAttributes = ["reel"];

  painted = -1;               // the frame whose own picture is on the canvas
  facts = null; frame = 0; compare = "off"; tool = "pan"; radius = 6; threshold = null; palette = "plain";
  shown = {mask: true, damage: false, invented: false, strip: false};
  options = {};               // of the repair that is compared with
  shots = [0];
  #pictures = new Pictures(); #overlays = new Map(); #view = new View(); #wipe = 0.5; #flipped = false;
  #gesture = null; #playing = 0; #timer = 0; #canvas; #note; #edition = 0; #held = null; #drawn = 0;

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
    this.addEventListener("keydown", (event) => this.#key(event));
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
      this.#pictures = new Pictures();
      this.#overlays.clear();
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
      if (other >= 0 && other <= this.last) this.#pictures.load(this.#source(other)).catch(() => {});
    }
  }

  // Masks, repairs and findings are others now; the frames themselves never are.
  refresh() {
    this.#edition += 1;
    this.#overlays.clear();
    for (const kind of ["masks", "damage", "origins", "repaired"]) this.#pictures.forget(`${this.#base}/${kind}/`);
    this.draw();
  }

  set(values) {
    Object.assign(this, values);
    if ("options" in values || "threshold" in values) this.refresh(); else this.draw();
  }

  #source(frame) { return `${this.#base}/frames/${frame}.jpg`; }

  #repaired(frame) {
    const query = new URLSearchParams(Object.entries(this.options).filter(([, value]) => value !== null && value !== ""));
    return `${this.#base}/repaired/${frame}.jpg?${query}`;
  }

  #mask(frame) {
    const cut = this.threshold === null ? "" : `?threshold=${this.threshold}`;
    return `${this.#base}/masks/${frame}.png${cut}`;
  }

  // A picture now, or undefined and a redraw when it has come.
  #ready(address) {
    const kept = this.#pictures.now(address);
    if (kept) return kept;
    const edition = this.#edition, {frame} = this;
    this.#pictures.load(address)
      .then(() => { if (edition === this.#edition && frame === this.frame) this.draw(); })
      .catch((error) => { if (frame === this.frame) this.#fail(error); });
    return undefined;
  }

  #overlay(address, make) {
    const key = `${this.palette} ${address}`;
    if (this.#overlays.has(key)) return this.#overlays.get(key);
    const bitmap = this.#ready(address);
    if (!bitmap) return undefined;
    const made = make(bitmap);
    this.#overlays.set(key, made);
    if (this.#overlays.size > 40) this.#overlays.delete(this.#overlays.keys().next().value);
    return made;
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
    const own = this.#ready(this.#source(this.frame)), source = own ?? this.#held;
    if (!source) return;
    // Until its own has come, the picture before stays: nothing flickers.
    this.painted = own ? this.frame : -1;
    this.#held = source;
    context.imageSmoothingEnabled = this.#view.scale < 1;
    context.imageSmoothingQuality = "high";
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
    const colours = COLOURS[this.palette];
    const over = [];
    if (this.shown.damage) over.push(this.#overlay(`${this.#base}/damage/${frame}.png`, heatPicture));
    if (this.shown.mask) over.push(this.#overlay(this.#mask(frame), (bitmap) => maskPicture(bitmap, colours.mask)));
    if (this.shown.invented) {
      over.push(this.#overlay(`${this.#base}/origins/${frame}.png`, (bitmap) => originPicture(bitmap, colours.invented)));
    }
    for (const one of over) if (one) context.drawImage(one, ...box);
  }

  #paintStrip(context) {
    [this.frame - 1, this.frame, this.frame + 1].forEach((frame, column) => {
      if (frame < 0 || frame > this.last) return;
      const picture = this.#ready(this.#source(frame));
      if (picture) this.#place(context, picture, column, column === 1, frame);
    });
  }

  #paintCompared(context, source) {
    const other = this.#ready(this.#repaired(this.frame));
    const seconds = this.#pictures.headers(this.#repaired(this.frame))?.get("x-seconds");
    this.#say(other ? `repaired in ${seconds} s` : "Repairing…");
    if (!other) { this.#place(context, source, 0, true); return; }
    if (this.compare === "beside") {
      this.#place(context, source, 0, true);
      this.#place(context, other, 1, false);
    } else if (this.compare === "flip") {
      this.#place(context, this.#flipped ? other : source, 0, false);
    } else if (this.compare === "difference") {
      const key = `difference ${this.#repaired(this.frame)}`;
      if (!this.#overlays.has(key)) this.#overlays.set(key, differencePicture(source, other, DIFFERENCE_GAIN));
      const made = this.#overlays.get(key);
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
    if (edit) await this.edit("edits", edit);
  }

  // "edits" with an operation, "undo" or "redo".
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
      if (this.#pictures.now(this.#source(this.frame))) this.go(next);
    }, 1000 / (over / under) / Math.abs(this.#playing));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "z") this.edit(event.shiftKey ? "redo" : "undo");
      else if (event.key.toLowerCase() === "y") this.edit("redo");
      else return;
      event.preventDefault();
      return;
    }
    const far = event.shiftKey ? 10 : 1;
    const plain = {
      ArrowLeft: () => this.go(this.frame - far), ArrowRight: () => this.go(this.frame + far),
      Home: () => this.go(0), End: () => this.go(Number.isFinite(this.last) ? this.last : this.frame),
      j: () => this.play(-1), k: () => this.play(0), l: () => this.play(1),
      0: () => this.zoomTo("fit"), 1: () => this.zoomTo(1), 8: () => this.zoomTo(8),
      m: () => this.#toggle("mask"), d: () => this.#toggle("damage"), n: () => this.#toggle("invented"),
      s: () => this.#toggle("strip"),
      "[": () => this.set({radius: Math.max(0.5, this.radius - 1)}), "]": () => this.set({radius: this.radius + 1}),
      Tab: () => { this.#flipped = !this.#flipped; this.draw(); },
    };
    const known = plain[event.key] ?? (event.key.length === 1 ? plain[event.key.toLowerCase()] : undefined);
    const tool = Object.entries(TOOLS).find(([, one]) => one.key === event.key);
    if (event.key === "Tab" && this.compare !== "flip") return;
    if (known) known();
    // L is for playing, as in every editing room; the lasso has its letter with Shift.
    else if (event.key === "L" || tool) { this.set({tool: event.key === "L" ? "lasso" : tool[0]}); this.#send("changed", {}); }
    else return;
    event.preventDefault();
  }

  #toggle(name) {
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
