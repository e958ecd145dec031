// The page of trials: known damage laid on a clean stretch of the reel, searched for and scored against the truth.

import {get, reel, send} from "./api.js";
import {$, element, shown, table} from "./dom.js";

const COLOURS = {plain: ["#ffdc00", "#00d23c", "#ff2828"], safe: ["#f0e442", "#56b4e9", "#d55e00"]};
const NAMES = ["hit", "false alarm", "miss"];

let id = null, told = null, at = 0;

const palette = () => ($("safe").checked ? "safe" : "plain");

// Fill the page with the last trial of a reel.
export async function showTrial(reelId, frame, count) {
  id = reelId;
  // From the viewer's frame on, or as near to it as a whole trial fits. Before anything is waited for: what is typed
  // meanwhile stays.
  if (frame !== undefined) $("trial-start").value = Math.max(0, Math.min(frame, (count ?? Infinity) - Number($("trial-frames").value)));
  await listRecipes();
  told = id ? await get(`${reel(id)}/trial`) : null;
  at = 0;
  fill();
}

export async function startTrial() {
  await listRecipes();
  return send(`${reel(id)}/trial`, {
    recipe: $("trial-recipe").value, seed: Number($("trial-seed").value) || 0,
    start: Number($("trial-start").value) || 0, frames: Number($("trial-frames").value) || 24,
  });
}

async function listRecipes() {
  if ($("trial-recipe").options.length) return;
  const names = await get("/api/recipes");
  // Another call may have been answered meanwhile, and a choice made.
  if ($("trial-recipe").options.length) return;
  $("trial-recipe").replaceChildren(...names.filter((one) => !one.startsWith("training")).map((one) => element("option", {textContent: one})));
  $("trial-recipe").value = "standard";
}

function fill() {
  $("trial-empty").hidden = Boolean(told);
  $("trial-result").hidden = !told;
  if (!told) return;
  const {scores, classes} = told;
  $("trial-told").textContent = `${told.recipe}, seed ${told.seed}, ${told.per_frame.length} frames from ${told.start}: `
    + `${told.defects} defects; searched by ${told.searched_by}.`;
  const lines = [["Dice", scores.dice], ["IoU", scores.iou], ["Precision", scores.precision], ["Recall", scores.recall],
                 ["False alarms per million clean pixels", told.false_alarms_per_million]];
  $("trial-scores").replaceChildren(table(["Figure", ""], lines.map(([name, value]) => [name, shown(value)])),
    table(["Defects found, by class", ""], Object.entries(classes).map(([name, value]) => [name, shown(value)])));
  const marks = COLOURS[palette()];
  $("trial-legend").replaceChildren(...NAMES.map((name, n) => element("span", {className: "mark"}, swatch(marks[n]), name)));
  go(worst());
}

function swatch(colour) {
  const made = element("i", {className: "swatch"});
  made.style.background = colour;
  return made;
}

// Where most went wrong.
function worst() {
  const faults = told.per_frame.map(([, alarms, misses]) => alarms + misses);
  return faults.indexOf(Math.max(...faults));
}

function go(frame) {
  at = Math.max(0, Math.min(told.per_frame.length - 1, frame));
  const marked = $("trial-marked").checked;
  $("trial-picture").src = `${reel(id)}/trial/${at}.jpg?safe=${palette() === "safe"}&marked=${marked}&seed=${told.seed}-${told.recipe}-${told.start}`;
  const [hits, alarms, misses] = told.per_frame[at];
  $("trial-picture").alt = `Frame ${told.start + at}: ${hits} pixels hit, ${alarms} false alarms, ${misses} missed`;
  $("trial-frame").textContent = $("trial-picture").alt;
  const most = Math.max(1, ...told.per_frame.map((one) => one[0] + one[1] + one[2]));
  $("trial-bars").replaceChildren(...told.per_frame.map((one, n) => {
    const bar = element("button", {className: "bar", title: `Frame ${told.start + n}`, aria: {label: `Frame ${told.start + n}`, pressed: String(n === at)}});
    one.forEach((value, kind) => {
      const part = element("i");
      part.style.height = `${value / most * 100}%`;
      part.style.background = COLOURS[palette()][kind];
      bar.append(part);
    });
    bar.onclick = () => go(n);
    return bar;
  }));
}

export function wireTrial() {
  $("trial-before").onclick = () => told && go(at - 1);
  $("trial-after").onclick = () => told && go(at + 1);
  $("trial-marked").onchange = () => told && go(at);
  $("safe").addEventListener("change", () => told && fill());
}
