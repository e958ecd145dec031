// Playing a reel: forwards and backwards, faster with every press in the same direction; nothing is skipped.

const FASTEST = 8;

export class Player {
  #viewer; #speed = 0; #timer = 0;

  // `there` tells whether the viewer's frame has come.
  constructor(viewer, there) { this.#viewer = viewer; this.there = there; }

  // 1 forwards, -1 backwards, 0 stop.
  play(direction) {
    const same = Math.sign(this.#speed) === direction, {facts} = this.#viewer;
    this.#speed = direction === 0 ? 0 : same ? direction * Math.min(FASTEST, Math.abs(this.#speed) * 2) : direction;
    clearInterval(this.#timer);
    if (!this.#speed || !facts) return;
    const [over, under = 1] = facts.rate.split("/").map(Number);
    this.#timer = setInterval(() => this.#on(), 1000 / (over / under) / Math.abs(this.#speed));
  }

  playOrStop() { this.play(this.#speed ? 0 : 1); }

  #on() {
    const next = this.#viewer.frame + Math.sign(this.#speed);
    if (next < 0 || next > this.#viewer.last) this.play(0);
    else if (this.there()) this.#viewer.go(next);
  }
}
