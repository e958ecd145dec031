// Tools: what a pointer draws becomes an operation, as `reelmend.edits` has them.

export const TOOLS = {
  pan: {key: "v", name: "Move", hint: "Drag to move, wheel to zoom."},
  brush: {key: "b", name: "Brush", hint: "Paint damage. [ and ] change the size."},
  eraser: {key: "e", name: "Eraser", hint: "Take from the mask."},
  lasso: {key: "l", name: "Lasso", hint: "Draw around damage; with Shift, around what is none."},
  line: {key: "i", name: "Line", hint: "Draw a scratch once: it is marked along the shot, wherever it wanders."},
  fill: {key: "f", name: "Fill", hint: "Click into an outline to fill it."},
  reject: {key: "x", name: "Reject", hint: "Click a blob that is no damage."},
  protect: {key: "p", name: "Protect", hint: "Draw a box: nothing in it is damage, along the shot."},
  ask: {key: "q", name: "Ask", hint: "Click a blob to see why it was found."},
};

const round = (v) => Math.round(v * 100) / 100;

// The operation of a gesture, or null. `points` are places on the film; `shot` its first and last frame.
export function operation(tool, points, {frame, radius, shot, shift}) {
  const places = points.map(([x, y]) => [round(x), round(y)]);
  const [first] = places, last = places[places.length - 1];
  switch (tool) {
    case "brush": return {kind: "stroke", frame, points: places, radius, adds: true};
    case "eraser": return {kind: "stroke", frame, points: places, radius, adds: false};
    case "lasso": return places.length < 3 ? null : {kind: "area", frame, points: places, adds: !shift};
    case "line": {
      if (Math.hypot(last[0] - first[0], last[1] - first[1]) < 2) return null;
      return {kind: "line", first: shot[0], last: shot[1], start: first, end: last, width: Math.max(1, radius)};
    }
    case "fill": return {kind: "fill", frame, at: first};
    case "reject": return {kind: "reject", frame, at: first};
    case "protect": {
      const width = Math.abs(last[0] - first[0]), height = Math.abs(last[1] - first[1]);
      if (width < 1 || height < 1) return null;
      return {kind: "protect", first: shot[0], last: shot[1],
              left: Math.min(first[0], last[0]), top: Math.min(first[1], last[1]), width: round(width), height: round(height)};
    }
    default: return null;
  }
}

// What a gesture looks like while it is made.
export function sketch(context, tool, points, view, radius) {
  if (!points.length) return;
  const at = points.map(([x, y]) => view.canvas(x, y));
  context.save();
  context.strokeStyle = tool === "eraser" ? "#fff" : "#ffb454";
  context.lineWidth = 1.5;
  if (tool === "brush" || tool === "eraser") {
    context.globalAlpha = 0.6;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = Math.max(1, 2 * radius * view.scale);
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
