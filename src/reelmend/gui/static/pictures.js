// Pictures by address, decoded once, a bounded number of them held.

import {ask} from "./api.js";

const MOST = 96;

export class Pictures {
  #held = new Map();

  // The picture if it is there already, else undefined.
  now(address) {
    const kept = this.#held.get(address);
    if (kept?.bitmap) { this.#held.delete(address); this.#held.set(address, kept); }
    return kept?.bitmap;
  }

  // The picture, sooner or later. The answer's headers are kept beside it.
  async load(address) {
    const kept = this.#held.get(address);
    if (kept) return kept.coming;
    const entry = {bitmap: undefined, headers: undefined, coming: undefined};
    entry.coming = (async () => {
      const answer = await ask(address);
      entry.headers = answer.headers;
      entry.bitmap = await createImageBitmap(await answer.blob());
      return entry.bitmap;
    })();
    entry.coming.catch(() => this.#held.delete(address));
    this.#held.set(address, entry);
    while (this.#held.size > MOST) {
      const [oldest, old] = this.#held.entries().next().value;
      this.#held.delete(oldest);
      old.bitmap?.close();
    }
    return entry.coming;
  }

  headers(address) { return this.#held.get(address)?.headers; }

  // Forget what begins so: it has changed.
  forget(begin) {
    for (const address of [...this.#held.keys()]) if (address.startsWith(begin)) this.#held.delete(address);
  }
}
