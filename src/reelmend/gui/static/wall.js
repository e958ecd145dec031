// <picture-wall>: pictures of one frame beside each other, zoomed and moved together.
//
// `show(tiles, size, look)`: tiles are {title, address, said, act: [name, work]}; one is fetched after the other.
// Events: "stepped" {by}, "failed" {said}.

import {Pictures} from "./pictures.js";
import {View} from "./view.js";

const LIGHTLY = 1.2;
const CAPTION = 2.4;         // height of a caption in the size of the page's text

class PictureWall extends HTMLElement {
  #pictures = new Pictures(); #view = new View(); #tiles = []; #size = [1, 1]; #from = null; #edition = 0; #drawn = 0;

  connectedCallback() {
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    new ResizeObserver(() => { this.#arrange(); this.draw(); }).observe(this);
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
    this.addEventListener("pointerdown", (event) => {
      if (event.target.tagName !== "CANVAS") return;
      this.focus({preventScroll: true});
      event.target.setPointerCapture(event.pointerId);
      this.#from = this.#at(event);
    });
    this.addEventListener("pointermove", (event) => {
      if (!this.#from) return;
      const here = this.#at(event);
      this.#view.pan(here[0] - this.#from[0], here[1] - this.#from[1]);
      this.#from = here;
      this.draw();
    });
    for (const end of ["pointerup", "pointercancel"]) this.addEventListener(end, () => { this.#from = null; });
  }

  async show(tiles, size, look = null) {
    const edition = ++this.#edition;
    this.#pictures = new Pictures();
    this.#size = size;
    this.#tiles = tiles.map((one) => ({...one, bitmap: null, ...this.#figure(one)}));
    this.replaceChildren(...this.#tiles.map((one) => one.figure));
    this.#arrange();
    this.#take(look);
    for (const one of this.#tiles) {
      try {
        one.note.textContent = "…";
        const bitmap = await this.#pictures.load(one.address);
        if (edition !== this.#edition) return;
        one.bitmap = bitmap;
        const seconds = this.#pictures.headers(one.address)?.get("x-seconds");
        one.note.textContent = seconds ? `${seconds} s` : "";
      } catch (error) {
        if (edition !== this.#edition) return;
        one.note.textContent = error.message;
        this.dispatchEvent(new CustomEvent("failed", {detail: {said: error.message}}));
      }
      this.draw();
    }
  }

  // As many columns as show the pictures largest.
  #arrange() {
    const count = this.#tiles.length, [width, height] = this.#size;
    const caption = CAPTION * parseFloat(getComputedStyle(document.documentElement).fontSize);
    const scale = (columns) => Math.min(this.clientWidth / columns / width,
      (this.clientHeight / Math.ceil(count / columns) - caption) / height);
    const choices = Array.from({length: count}, (_, n) => n + 1).sort((a, b) => scale(b) - scale(a));
    this.style.setProperty("--columns", choices[0] ?? 1);
  }

  // Look where a viewer looks.
  #take(look) {
    const [canvas] = this.#canvases();
    if (!canvas) return;
    this.#fitCanvases();
    if (!look || look.fitted) { this.#view.fit(canvas, ...this.#size); return; }
    const [x, y] = look.at;
    Object.assign(this.#view, {scale: look.scale, fitted: false, x: canvas.width / 2 - (x + 0.5) * look.scale,
                               y: canvas.height / 2 - (y + 0.5) * look.scale});
  }

  #figure({title, said = "", act = null}) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const name = document.createElement("strong"), note = document.createElement("span"), canvas = document.createElement("canvas");
    name.textContent = title;
    name.title = said;
    note.className = "quiet";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", title);
    caption.append(name, note);
    if (act) {
      const button = document.createElement("button");
      [button.textContent, button.onclick] = act;
      caption.append(button);
    }
    figure.append(caption, canvas);
    return {figure, canvas, note};
  }

  #canvases() { return this.#tiles.map((one) => one.canvas); }

  #fitCanvases() {
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of this.#canvases()) {
      const width = Math.max(1, Math.round(canvas.clientWidth * ratio)), height = Math.max(1, Math.round(canvas.clientHeight * ratio));
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    }
  }

  draw() {
    if (this.#drawn) return;
    this.#drawn = requestAnimationFrame(() => { this.#drawn = 0; this.#paint(); });
  }

  #paint() {
    if (!this.#tiles.length || !this.clientWidth) return;
    this.#fitCanvases();
    if (this.#view.fitted) this.#view.fit(this.#tiles[0].canvas, ...this.#size);
    const {scale, x, y} = this.#view, [width, height] = this.#size;
    for (const {canvas, bitmap} of this.#tiles) {
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      if (!bitmap) continue;
      context.imageSmoothingEnabled = scale < 1;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, x, y, width * scale, height * scale);
    }
  }

  // A place on the canvas under the pointer, the same on all of them.
  #at(event) {
    const canvas = event.target.tagName === "CANVAS" ? event.target : this.#tiles[0].canvas;
    const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  #wheel(event) {
    if (!this.#tiles.length) return;
    event.preventDefault();
    this.#view.zoom(this.#view.scale * (event.deltaY < 0 ? LIGHTLY : 1 / LIGHTLY), ...this.#at(event));
    this.draw();
  }

  zoomTo(scale) {
    const [canvas] = this.#canvases();
    if (!canvas) return;
    if (scale === "fit") this.#view.fit(canvas, ...this.#size);
    else this.#view.zoom(scale, canvas.width / 2, canvas.height / 2);
    this.draw();
  }

  #key(event) {
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    const scale = {0: "fit", 1: 1, 8: 8}[event.key];
    if (event.ctrlKey || event.metaKey || (by === undefined && scale === undefined)) return;
    event.preventDefault();
    if (by) this.dispatchEvent(new CustomEvent("stepped", {detail: {by: event.shiftKey ? 10 * by : by}}));
    else this.zoomTo(scale);
  }
}

customElements.define("picture-wall", PictureWall);
