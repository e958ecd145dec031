// What keys do at the viewer, as in every editing room.

import {TOOLS} from "./tools.js";

// Whether a key was for the viewer.
export function pressed(viewer, event) {
  if (event.ctrlKey || event.metaKey) {
    const letter = event.key.toLowerCase();
    if (letter === "z") viewer.edit(event.shiftKey ? "redo" : "undo");
    else if (letter === "y") viewer.edit("redo");
    else return false;
    return true;
  }
  const far = event.shiftKey ? 10 : 1;
  const plain = {
    ArrowLeft: () => viewer.go(viewer.frame - far), ArrowRight: () => viewer.go(viewer.frame + far),
    Home: () => viewer.go(0), End: () => viewer.go(Number.isFinite(viewer.last) ? viewer.last : viewer.frame),
    j: () => viewer.player.play(-1), k: () => viewer.player.play(0), l: () => viewer.player.play(1),
    " ": () => viewer.player.playOrStop(),
    0: () => viewer.zoomTo("fit"), 1: () => viewer.zoomTo(1), 8: () => viewer.zoomTo(8),
    m: () => viewer.toggle("mask"), d: () => viewer.toggle("damage"), n: () => viewer.toggle("invented"),
    PageUp: () => viewer.goShot(-1), PageDown: () => viewer.goShot(1),
    ",": () => viewer.step(-1), ".": () => viewer.step(1), g: () => viewer.askNumber(),
    a: () => viewer.review("approved"), r: () => viewer.review("rejected"),
    c: () => viewer.toggle("kinds"), s: () => viewer.toggle("strip"),
    "[": () => viewer.set({radius: Math.max(0.5, viewer.radius - 1)}), "]": () => viewer.set({radius: viewer.radius + 1}),
    Tab: () => viewer.flip(),
  };
  if (event.key === "Tab" && viewer.compare !== "flip") return false;
  const known = plain[event.key] ?? (event.key.length === 1 && event.key !== "L" ? plain[event.key.toLowerCase()] : undefined);
  if (known) { known(); return true; }
  // L is for playing; the lasso has its letter with Shift.
  const tool = event.key === "L" ? "lasso" : Object.keys(TOOLS).find((name) => TOOLS[name].key === event.key);
  if (tool) viewer.pick(tool);
  return Boolean(tool);
}
