// What a viewer may lay over and beside a frame: pictures by their addresses, and overlays painted of them.

import {reel} from "./api.js";
import {COLOURS, differencePicture, heatPicture, kindPicture, maskPicture, originPicture} from "./overlays.js";
import {Pictures} from "./pictures.js";

const OVERLAYS = 40;         // held at a time
const DIFFERENCE_GAIN = 6;

export class Layers {
  palette = "plain"; threshold = null; options = {};
  proxy = null;               // width of the pictures to do with, pixels
  #pictures = new Pictures(); #overlays = new Map(); #edition = 0; #base; #come; #failed;

  // `come` is called with the frame whose picture has come, `failed` with it and the error.
  constructor(id, come, failed) {
    this.#base = reel(id);
    this.#come = come;
    this.#failed = failed;
  }

  // The scan, or its proxy where that is as good as the screen.
  source(frame) { return `${this.#base}/frames/${frame}.jpg${this.proxy ? `?width=${this.proxy}` : ""}`; }

  repaired(frame, options = this.options) {
    const query = new URLSearchParams(Object.entries(options).filter(([, value]) => value !== null && value !== ""));
    return `${this.#base}/repaired/${frame}.jpg?${query}`;
  }

  #mask(frame) {
    const cut = this.threshold === null ? "" : `?threshold=${this.threshold}`;
    return `${this.#base}/masks/${frame}.png${cut}`;
  }

  // Masks, repairs and findings are others now; the frames themselves never are.
  refresh() {
    this.#edition += 1;
    this.#overlays.clear();
    for (const kind of ["masks", "damage", "origins", "repaired", "kinds"]) this.#pictures.forget(`${this.#base}/${kind}/`);
  }

  now(address) { return this.#pictures.now(address); }
  load(address) { return this.#pictures.load(address); }
  headers(address) { return this.#pictures.headers(address); }

  // A picture of a frame now, or undefined and word of it when it has come.
  ready(address, frame) {
    const kept = this.#pictures.now(address);
    if (kept) return kept;
    const edition = this.#edition;
    this.#pictures.load(address)
      .then(() => { if (edition === this.#edition) this.#come(frame); })
      .catch((error) => this.#failed(frame, error));
    return undefined;
  }

  // The overlays that are shown over a frame, as far as they have come.
  over(frame, shown) {
    const colours = COLOURS[this.palette];
    const made = [];
    if (shown.damage) made.push(this.#overlay(`${this.#base}/damage/${frame}.png`, frame, heatPicture));
    if (shown.mask) made.push(this.#overlay(this.#mask(frame), frame, (bitmap) => maskPicture(bitmap, colours.mask)));
    if (shown.kinds) made.push(this.#overlay(`${this.#base}/kinds/${frame}.png`, frame, (bitmap) => kindPicture(bitmap, colours.kinds)));
    if (shown.invented) {
      made.push(this.#overlay(`${this.#base}/origins/${frame}.png`, frame, (bitmap) => originPicture(bitmap, colours.invented)));
    }
    return made.filter(Boolean);
  }

  // The amplified difference of a frame and its repair, both there already.
  difference(frame, source, other) {
    return this.#kept(`difference ${this.repaired(frame)}`, () => differencePicture(source, other, DIFFERENCE_GAIN));
  }

  #overlay(address, frame, make) {
    const bitmap = this.ready(address, frame);
    return bitmap && this.#kept(`${this.palette} ${address}`, () => make(bitmap));
  }

  #kept(key, make) {
    if (!this.#overlays.has(key)) {
      this.#overlays.set(key, make());
      if (this.#overlays.size > OVERLAYS) this.#overlays.delete(this.#overlays.keys().next().value);
    }
    return this.#overlays.get(key);
  }
}
