// Masks, damage maps and origins as colours over the picture.

// `kinds` in the order of `reelmend.desk.kinds`.
export const COLOURS = {
  plain: {mask: [255, 60, 160], invented: [64, 200, 255],
          kinds: [[255, 214, 64], [255, 120, 60], [90, 220, 130], [110, 170, 255], [255, 60, 160]]},
  // Told apart by those who do not see red and green: Okabe and Ito (2008).
  safe: {mask: [230, 159, 0], invented: [86, 180, 233],
         kinds: [[240, 228, 66], [213, 94, 0], [0, 158, 115], [86, 180, 233], [230, 159, 0]]},
};

export const KINDS = ["dust", "dirt", "hair", "scratch", "by hand"];

const INVENTED = 180;   // from here on an origin is a network's or a diffusion model's own

function pixels(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

function painted(bitmap, colourOf) {
  const image = pixels(bitmap);
  const {data} = image;
  for (let n = 0; n < data.length; n += 4) {
    const [r, g, b, a] = colourOf(data[n]);
    data[n] = r; data[n + 1] = g; data[n + 2] = b; data[n + 3] = a;
  }
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

export const maskPicture = (bitmap, [r, g, b]) => painted(bitmap, (v) => v > 127 ? [r, g, b, 150] : [0, 0, 0, 0]);

// Codes from 1 on are kinds of damage.
export const kindPicture = (bitmap, colours) => painted(bitmap, (v) => v ? [...colours[Math.min(v, colours.length) - 1], 190] : [0, 0, 0, 0]);

export const originPicture = (bitmap, [r, g, b]) => painted(bitmap, (v) => v >= INVENTED ? [r, g, b, 170] : [0, 0, 0, 0]);

// From nothing over violet and orange to white; even in lightness, so that it reads without colour too.
export const heatPicture = (bitmap) => painted(bitmap, (v) => {
  const t = v / 255;
  if (t < 0.02) return [0, 0, 0, 0];
  return [Math.min(255, 80 + 300 * t), Math.max(0, 380 * t - 130), Math.max(0, 140 - 220 * t + 240 * t * t * t), 90 + 130 * t];
});

// The difference of two pictures around middle gray, amplified.
export function differencePicture(one, other, gain) {
  const a = pixels(one), b = pixels(other);
  if (a.data.length !== b.data.length) return null;
  for (let n = 0; n < a.data.length; n += 4) {
    for (let c = 0; c < 3; c++) a.data[n + c] = 128 + gain * (b.data[n + c] - a.data[n + c]);
    a.data[n + 3] = 255;
  }
  const canvas = new OffscreenCanvas(one.width, one.height);
  canvas.getContext("2d").putImageData(a, 0, 0);
  return canvas;
}
