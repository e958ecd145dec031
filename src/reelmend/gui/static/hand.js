// What draws and points on a frame: the pointer, or for who works by keys a crosshair. Both make the same gestures.
//
// A viewer gives: canvas, view, facts, tool, compare, wipe, wipeAt, beside(), within(), draw(), done(points, shift).

const LIGHTLY = 1.2;         // how much a notch of the wheel zooms
const NEAR = 12;             // how far from the wipe's line it may be taken, pixels
const MOST = 5000;           // places of a gesture
const CLICKS = ["fill", "reject", "ask"];   // tools that need no drawing

export class Hand {
  points = null;              // of the gesture under way, places on the film
  at = null;                  // the crosshair, a place on the film; null while it is put away
  #viewer; #from = null; #wiping = false;

  constructor(viewer) {
    this.#viewer = viewer;
    const {canvas} = viewer;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#lift(event.shiftKey));
    canvas.addEventListener("pointercancel", () => this.#drop());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
  }

  #place(event) {
    const {canvas} = this.#viewer, box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  // The place on the film, in whichever of several pictures the pointer is.
  #film(x, y) { return this.#viewer.within(this.#viewer.view.film(x, y)); }

  #down(event) {
    const viewer = this.#viewer;
    if (!viewer.facts || event.button > 1) return;
    viewer.focus({preventScroll: true});
    const [x, y] = this.#place(event);
    viewer.canvas.setPointerCapture(event.pointerId);
    if (viewer.compare === "wipe" && Math.abs(x - viewer.wipeAt) < NEAR) this.#wiping = true;
    else if (viewer.tool === "pan" || event.button === 1) this.#from = [x, y];
    else this.points = [this.#film(x, y)];
    viewer.draw();
  }

  #move(event) {
    const viewer = this.#viewer, [x, y] = this.#place(event);
    if (this.#wiping) viewer.wipe = Math.min(1, Math.max(0, (x - viewer.view.x) / (viewer.facts.width * viewer.view.scale)));
    else if (this.#from) {
      viewer.view.pan(x - this.#from[0], y - this.#from[1]);
      this.#from = [x, y];
    } else if (this.points) this.#draw(this.#film(x, y));
    else return;
    viewer.draw();
  }

  #draw(place) { if (this.points.length < MOST) this.points.push(place); }

  #drop() { this.points = this.#from = null; this.#wiping = false; this.#viewer.draw(); }

  #lift(shift) {
    const {points} = this;
    this.#drop();
    if (points) this.#viewer.done(points, shift);
  }

  #wheel(event) {
    event.preventDefault();
    const {facts, view} = this.#viewer;
    if (!facts) return;
    view.zoom(view.scale * (event.deltaY < 0 ? LIGHTLY : 1 / LIGHTLY), ...this.#place(event));
    this.#viewer.draw();
  }

  // Put the crosshair somewhere, in sight.
  point([x, y]) {
    const {beside, canvas, facts, view} = this.#viewer;
    this.at = [Math.max(0, Math.min(facts.width - 1, Math.round(x))), Math.max(0, Math.min(facts.height - 1, Math.round(y)))];
    if (this.points) this.#draw(this.at);
    view.reveal(canvas, ...beside(...this.at));
    this.#viewer.draw();
  }

  // Whether a key was for the crosshair.
  pressed(event) {
    const viewer = this.#viewer;
    if (!viewer.facts || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Enter") {
      if (this.at) this.#away(); else this.point(this.#film(viewer.canvas.width / 2, viewer.canvas.height / 2));
      return true;
    }
    if (!this.at) return false;
    const by = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (by) {
      const far = event.shiftKey ? 10 : 1;
      this.point([this.at[0] + far * by[0], this.at[1] + far * by[1]]);
    } else if (event.key === " ") {
      if (!this.points) this.points = [this.at];
      else { this.#lift(event.shiftKey); return true; }
      if (CLICKS.includes(viewer.tool)) this.#lift(false);
      else if (viewer.tool === "pan") this.#drop();
      viewer.draw();
    } else if (event.key === "Escape") {
      if (this.points) this.#drop(); else this.#away();
    } else return false;
    return true;
  }

  #away() { this.at = null; this.#drop(); }
}
