// The page of models: what can detect and repair, where it comes from, and how well it does.

import {get} from "./api.js";
import {element, shown, table} from "./dom.js";

const words = (name) => name.replaceAll("_", " ");

function weights(card) {
  if (!card) return "none needed";
  const recipe = card.recipe?.name ?? card.recipe;
  return `${card.kind}, ${card.licence}, sha256 ${String(card.sha256).slice(0, 12)}${typeof recipe === "string" ? `, recipe ${recipe}` : ""}`;
}

function data(card) {
  const sources = Array.isArray(card?.data) ? card.data : [];
  if (!sources.length) return "";
  return element("details", {}, element("summary", {textContent: `trained on ${sources.length} sources`}),
    element("ul", {}, ...sources.map((one) => element("li", {textContent: `${one.name}: ${one.terms}`}))));
}

function card(one) {
  const scores = Object.entries(one.scores ?? {});
  return element("article", {className: "card"},
    element("h3", {textContent: one.name}), element("p", {textContent: one.about}),
    element("p", {className: "quiet", textContent: `Weights: ${weights(one.weights)}`}), data(one.weights),
    scores.length ? table(["Measured", ""], scores.map(([name, value]) => [words(name), shown(value)]))
      : element("p", {className: "quiet", textContent: "Not measured by itself."}));
}

let filled = false;

// Fill the page; once is enough, models do not change while the desk is open.
export async function showModels(page) {
  if (filled) return;
  const {detectors, repairers, measured_on: where} = await get("/api/models");
  page.replaceChildren(
    element("h2", {textContent: "Detectors"}), element("div", {className: "cards"}, ...detectors.map(card)),
    element("h2", {textContent: "Repairers"}), element("div", {className: "cards"}, ...repairers.map(card)),
    element("p", {className: "quiet", textContent: where ? `Measured by ${where}.` : "No scores came with these weights."}));
  filled = true;
}
