// Where the picture lies on the canvas: zoom and pan. Scale is canvas pixels for a pixel of film.

export class View {
  scale = 1; x = 0; y = 0; fitted = true;

  fit(canvas, width, height) {
    this.scale = Math.min(canvas.width / width, canvas.height / height);
    this.x = (canvas.width - width * this.scale) / 2;
    this.y = (canvas.height - height * this.scale) / 2;
    this.fitted = true;
  }

  // Zoom so that what is under a place of the canvas stays there.
  zoom(scale, atX, atY) {
    const next = Math.min(32, Math.max(0.02, scale));
    this.x = atX - (atX - this.x) * next / this.scale;
    this.y = atY - (atY - this.y) * next / this.scale;
    this.scale = next;
    this.fitted = false;
  }

  pan(dx, dy) { this.x += dx; this.y += dy; this.fitted = false; }

  // Move so that a place of the film can be seen, if it cannot.
  reveal(canvas, filmX, filmY) {
    const [x, y] = this.canvas(filmX, filmY);
    if (x >= 0 && x < canvas.width && y >= 0 && y < canvas.height) return;
    this.pan(canvas.width / 2 - x, canvas.height / 2 - y);
  }

  // From the canvas to the film: a pixel's middle lies at whole numbers.
  film(x, y) { return [(x - this.x) / this.scale - 0.5, (y - this.y) / this.scale - 0.5]; }

  canvas(x, y) { return [(x + 0.5) * this.scale + this.x, (y + 0.5) * this.scale + this.y]; }
}
