// Tools: what a pointer draws becomes an operation, as `reelmend.edits` has them.

export const TOOLS = {
  pan: {key: "v", name: "Move", hint: "Drag to move, wheel to zoom."},
  brush: {key: "b", name: "Brush", hint: "Paint damage. [ and ] change the size."},
  eraser: {key: "e", name: "Eraser", hint: "Take from the mask."},
  lasso: {key: "l", name: "Lasso", hint: "Draw around damage; with Shift, around what is none."},
  line: {key: "i", name: "Line", hint: "Draw a scratch once: it is marked in all frames below, wherever it wanders."},
  fill: {key: "f", name: "Fill", hint: "Click into an outline to fill it."},
  reject: {key: "x", name: "Reject", hint: "Click a blob that is no damage."},
  protect: {key: "p", name: "Protect", hint: "Draw a box: nothing in it is damage."},
  ask: {key: "q", name: "Ask", hint: "Click a blob to see why it was found."},
};

const round = (v) => Math.round(v * 100) / 100;

// The operation of a gesture, or null. `points` are places on the film; `stretch` the first and last frame of what lasts.
export function operation(tool, points, {frame, radius, stretch: [first, last], shift}) {
  const places = points.map(([x, y]) => [round(x), round(y)]);
  const [begin] = places, end = places[places.length - 1];
  switch (tool) {
    case "brush": return {kind: "stroke", frame, points: places, radius, adds: true};
    case "eraser": return {kind: "stroke", frame, points: places, radius, adds: false};
    case "lasso": return places.length < 3 ? null : {kind: "area", frame, points: places, adds: !shift};
    case "line": {
      if (Math.hypot(end[0] - begin[0], end[1] - begin[1]) < 2) return null;
      return {kind: "line", first, last, start: begin, end, width: Math.max(1, radius)};
    }
    case "fill": return {kind: "fill", frame, at: begin};
    case "reject": return {kind: "reject", frame, at: begin};
    case "protect": {
      const width = Math.abs(end[0] - begin[0]), height = Math.abs(end[1] - begin[1]);
      if (width < 1 || height < 1) return null;
      return {kind: "protect", first, last, left: Math.min(begin[0], end[0]), top: Math.min(begin[1], end[1]),
              width: round(width), height: round(height)};
    }
    default: return null;
  }
}

// What a gesture looks like while it is made. `place` gives the canvas's place of the film's; `radius` is the canvas's.
export function sketch(context, tool, points, place, radius) {
  if (!points.length) return;
  const at = points.map((one) => place(...one));
  context.save();
  context.strokeStyle = tool === "eraser" ? "#fff" : "#ffb454";
  context.lineWidth = 1.5;
  if (tool === "brush" || tool === "eraser") {
    context.globalAlpha = 0.6;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = Math.max(1, 2 * radius);
  }
  context.beginPath();
  if (tool === "protect") {
    const [a, b] = [at[0], at[at.length - 1]];
    context.rect(a[0], a[1], b[0] - a[0], b[1] - a[1]);
  } else if (tool === "line") {
    context.moveTo(...at[0]); context.lineTo(...at[at.length - 1]);
  } else {
    context.moveTo(...at[0]);
    for (const place of at.length > 1 ? at.slice(1) : at) context.lineTo(...place);
    if (tool === "lasso") context.closePath();
  }
  context.stroke();
  context.restore();
}

// A crosshair around a pixel of the film, dark and light so that it shows on anything.
export function crosshair(context, [x, y], scale) {
  const gap = Math.max(6, scale), far = gap + 14;
  context.save();
  for (const [colour, width] of [["#000", 4], ["#ffb454", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, gap, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + gap * dx, y + gap * dy);
      context.lineTo(x + far * dx, y + far * dy);
    }
    context.stroke();
  }
  context.restore();
}
