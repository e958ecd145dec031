// The blobs of a frame, as the desk tells them: which one is meant, and what is known of it.

// The blob that a place of the film lies in or next to, or null.
export function blobAt(blobs, [x, y]) {
  const inside = blobs.filter((one) => x >= one.left - 1 && x <= one.left + one.width && y >= one.top - 1 && y <= one.top + one.height);
  inside.sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
  return inside[0] ?? null;
}

// The blob after a place, or before it, as in a book, round and round; null where there is none.
export function blobBeside(blobs, at, by) {
  const order = (one) => (at ? one.y - at[1] || one.x - at[0] : by);
  const found = by > 0 ? blobs.find((one) => order(one) > 0) ?? blobs[0] : blobs.findLast((one) => order(one) < 0) ?? blobs.at(-1);
  return found ?? null;
}

export function blobTold({frame, blob, none = false}) {
  if (!blob) return none ? `Frame ${frame}: no damage.` : `Frame ${frame}: nothing was found there.`;
  if (blob.probability === null) return `Frame ${frame}: drawn by hand, ${blob.area} pixels.`;
  const last = blob.since + blob.frames - 1;
  const life = blob.frames === 1 ? "in this frame only" : `in ${blob.frames} frames, ${blob.since} to ${last}`;
  return `Frame ${frame}: ${blob.kind}, ${blob.polarity}, probability ${blob.probability}, ${blob.area} pixels, ${life}.`;
}
