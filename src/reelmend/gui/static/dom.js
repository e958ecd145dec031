// Small helpers for building pages.

export const $ = (id) => document.getElementById(id);

export function element(name, values = {}, ...inside) {
  const {aria = {}, ...own} = values;
  const made = Object.assign(document.createElement(name), own);
  for (const [key, value] of Object.entries(aria)) made.setAttribute(`aria-${key}`, value);
  made.append(...inside);
  return made;
}

export const row = (...cells) => element("tr", {}, ...cells.map((one) => element("td", {}, one ?? "")));

// A table with a head; cells are texts or elements.
export const table = (head, rows) => element("table", {className: "figures"},
  element("thead", {}, element("tr", {}, ...head.map((one) => element("th", {scope: "col", textContent: one})))),
  element("tbody", {}, ...rows.map((cells) => row(...cells))));

export const shown = (value, digits = 3) => value === null || value === undefined ? "–"
  : typeof value === "number" ? String(Number(value.toPrecision(digits))) : String(value);
