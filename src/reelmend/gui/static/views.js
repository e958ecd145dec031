// The views of the desk: the viewer itself, repairers beside each other, stages, models, trials.

import {get, reel} from "./api.js";
import {$} from "./dom.js";
import {showModels} from "./models.js";
import {showTrial} from "./trial.js";

export const VIEWS = ["desk", "repairers", "stages", "models", "trial"];
const SLOW = ["temporal-diffusion", "repaint", "diffpir"];   // asked for by name: they take long

let view = "desk", later = 0;

export const currentView = () => view;

// Show a view; its pictures are those of the viewer's frame.
export async function showView(name, {facts, choose}) {
  view = name;
  $("views").closest(".desk").dataset.view = name;
  for (const button of document.querySelectorAll("[data-view-of]")) {
    button.setAttribute("aria-current", button.dataset.viewOf === name ? "page" : "false");
  }
  if (name === "models") await showModels($("models"));
  else if (name === "trial") await showTrial(facts?.id, $("viewer").frame, facts?.frames);
  else if (name === "desk") $("viewer").draw();
  else if (facts) await fillWall(facts, choose);
}

// The frame, or what is done with it, is another: soon fill the wall again.
export function viewChanged(context, fail) {
  if (view !== "repairers" && view !== "stages") return;
  clearTimeout(later);
  later = setTimeout(() => context.facts && fillWall(context.facts, context.choose).catch(fail), 200);
}

async function fillWall(facts, choose) {
  const {frame, look} = $("viewer"), base = reel(facts.id), size = [facts.width, facts.height];
  const source = {title: "scan", address: `${base}/frames/${frame}.jpg`};
  if (view === "stages") {
    const names = await get(`${base}/stages/${frame}`);
    const tiles = names.map((title, n) => ({title, address: `${base}/stages/${frame}/${n}.jpg`}));
    await $("wall").show(tiles, size, look);
    return;
  }
  const {repairers} = await get("/api/models"), slow = $("wall-slow").checked;
  const tiles = repairers.filter(({name}) => slow || !SLOW.includes(name)).map(({name, about}) => ({
    title: name === facts.options.repair.repairer ? `${name} (chosen)` : name, said: about,
    address: `${base}/repaired/${frame}.jpg?repairer=${encodeURIComponent(name)}`, act: ["Use", () => choose(name)],
  }));
  await $("wall").show([source, ...tiles], size, look);
}
