// The desk's page: it ties the viewer, the timeline and the panels to each other and to the desk.

import {get, reel as addressOf, send} from "./api.js";
import "./timeline.js";
import {TOOLS} from "./tools.js";
import "./viewer.js";

const $ = (id) => document.getElementById(id);
const REFRESH = 1000;        // ms between looks at what is under way

let facts = null, searching = false;

function element(name, values = {}, ...inside) {
  const made = Object.assign(document.createElement(name), values);
  made.append(...inside);
  return made;
}

function fail(error) { $("said").textContent = error.message ?? String(error); }

const attempt = (work) => async (...given) => {
  $("said").textContent = "";
  try { return await work(...given); } catch (error) { fail(error); return undefined; }
};

// Reels

async function listReels() {
  const reels = await get("/api/reels");
  $("reels").replaceChildren(...reels.map((one) => {
    const button = element("button", {className: "reel", textContent: one.id, title: one.source});
    button.setAttribute("aria-pressed", String(one.id === facts?.id));
    button.onclick = attempt(() => openReel(one.id));
    return button;
  }));
  $("empty").hidden = reels.length > 0;
  return reels;
}

async function openReel(id) {
  $("viewer").setAttribute("reel", id);
  facts = await get(addressOf(id));
  showFacts();
  await Promise.all([listReels(), timeline(), tasks()]);
  $("viewer").focus();
}

function showFacts() {
  const {width, height, frames, rate, pixel_format: pixels, codec, timecode} = facts;
  const count = frames ?? "?", time = timecode ? `  ${timecode}` : "";
  $("facts").textContent = `${facts.id}   ${width} × ${height}   ${count} frames at ${rate}   ${codec} ${pixels}${time}`;
  const {detect, repair, grain} = facts.options;
  $("strength").value = detect.strength;
  $("repairer").value = repair.repairer;
  $("grow").value = repair.grow;
  $("grow-told").textContent = `${repair.grow} px`;
  $("regrain").checked = grain.regrain;
  const state = facts.searched === 0 ? "Nothing was looked for yet." : facts.stale
    ? "Found with other options: look again." : `${facts.searched} frames looked at.`;
  $("found").textContent = state;
}

const reelChanged = attempt(async () => { facts = await get(addressOf(facts.id)); showFacts(); });

// Opening

const browse = attempt(async (path) => {
  const query = path ? `?path=${encodeURIComponent(path)}` : "";
  const listed = await get(`/api/folders${query}`);
  $("browse-path").textContent = listed.path;
  const rows = [];
  if (!listed.roots.includes(listed.path)) rows.push({name: "..", folder: true});
  rows.push(...listed.entries);
  $("browse-list").replaceChildren(...rows.map((one) => {
    const place = one.name === ".." ? listed.path.replace(/\/[^/]*$/, "") || "/" : `${listed.path}/${one.name}`;
    const look = element("button", {textContent: one.folder ? `${one.name}/` : one.name});
    look.onclick = () => (one.folder ? browse(place) : add(place));
    const whole = element("button", {textContent: "open as images"});
    whole.onclick = () => add(place);
    return element("tr", {}, element("td", {}, look), element("td", {}, one.folder && one.name !== ".." ? whole : ""));
  }));
  if (!$("browse").open) $("browse").showModal();
});

const add = attempt(async (source) => {
  const {id} = await send("/api/reels", {source});
  $("browse").close();
  await openReel(id);
});

// Findings and tasks

async function timeline() {
  if (!facts) return;
  const data = await get(`${addressOf(facts.id)}/timeline`);
  $("viewer").shots = data.shots.length ? data.shots : [0];
  $("timeline").set({data, count: facts.frames ?? 0, frame: $("viewer").frame});
  showReview(data);
  return data;
}

function showReview(data) {
  const [first, last] = $("viewer").shotOf($("viewer").frame);
  $("shot").textContent = data.shots.length ? `Shot of frames ${first} to ${last}` : "No shots known yet";
  for (const button of document.querySelectorAll("[data-review]")) {
    button.setAttribute("aria-pressed", String((data.reviews[first] ?? "to do") === button.dataset.review));
  }
  const worst = data.damaged.map((value, n) => [value, n]).sort((a, b) => b[0] - a[0]).slice(0, 6).filter(([v]) => v > 0);
  $("worst").replaceChildren(...worst.map(([, n]) => {
    const button = element("button", {textContent: n});
    button.onclick = () => $("viewer").go(n);
    return button;
  }));
}

const time = (seconds) => seconds === null ? "" : seconds < 90 ? `${Math.round(seconds)} s left` : `${Math.round(seconds / 60)} min left`;

async function tasks() {
  const all = await get("/api/tasks");
  $("tasks").replaceChildren(...all.slice(-6).reverse().map((one) => {
    const bar = element("progress", {max: one.total ?? Math.max(1, one.done), value: one.done});
    bar.setAttribute("aria-label", one.title);
    const act = (what, name) => {
      const button = element("button", {textContent: name});
      button.onclick = attempt(async () => { await send(`/api/tasks/${one.id}/${what}`); await tasks(); });
      return button;
    };
    const buttons = {waiting: [act("pause", "Pause"), act("give-up", "Give up")], running: [act("pause", "Pause"), act("give-up", "Give up")],
                     paused: [act("go-on", "Go on"), act("give-up", "Give up")], failed: [act("go-on", "Try again")]}[one.state] ?? [];
    const told = one.state === "running" ? `${one.done} of ${one.total ?? "?"}, ${one.speed} frames/s ${time(one.seconds_left)}`
      : `${one.state}, ${one.done} frames`;
    return element("div", {className: "task"}, element("div", {textContent: one.title}), bar,
                   element("div", {className: "quiet", textContent: told}), element("div", {className: "said", textContent: one.said}),
                   element("div", {className: "row"}, ...buttons));
  }));
  const now = all.some((one) => one.reel === facts?.id && one.kind === "search" && one.state === "running");
  if (now || searching) {
    searching = now;
    await timeline();
    $("viewer").refresh();
    if (!now) await reelChanged();
  }
  return all;
}

const option = attempt(async (values) => {
  facts = await send(`${addressOf(facts.id)}/options`, values, "PATCH");
  showFacts();
  $("viewer").refresh();
});

// Controls

function press(group, chosen) {
  for (const button of document.querySelectorAll(`[data-${group}]`)) {
    button.setAttribute("aria-pressed", String(button.dataset[group] === chosen));
  }
}

function mirror() {
  const viewer = $("viewer");
  press("tool", viewer.tool);
  $("hint").textContent = TOOLS[viewer.tool].hint;
  for (const button of document.querySelectorAll("[data-shown]")) {
    button.setAttribute("aria-pressed", String(viewer.shown[button.dataset.shown]));
  }
  press("compare", viewer.compare);
}

function wire() {
  const viewer = $("viewer"), bar = $("timeline");
  let data = null;
  viewer.addEventListener("frame", ({detail}) => {
    $("number").value = detail.frame;
    bar.set({frame: detail.frame});
    if (data) showReview(data);
  });
  viewer.addEventListener("edited", async () => { data = await timeline(); });
  viewer.addEventListener("changed", mirror);
  viewer.addEventListener("failed", ({detail}) => fail(new Error(detail.said)));
  viewer.addEventListener("asked", ({detail: {blob, frame}}) => {
    $("asked").textContent = blob
      ? `Frame ${frame}: ${blob.kind}, ${blob.polarity}, probability ${blob.probability}, ${blob.area} pixels.`
      : `Frame ${frame}: nothing was found there.`;
  });
  bar.addEventListener("chosen", ({detail}) => viewer.go(detail.frame));
  for (const button of document.querySelectorAll("[data-tool]")) button.onclick = () => { viewer.set({tool: button.dataset.tool}); mirror(); };
  for (const button of document.querySelectorAll("[data-shown]")) {
    button.onclick = () => {
      viewer.set({shown: {...viewer.shown, [button.dataset.shown]: !viewer.shown[button.dataset.shown]}});
      if (button.dataset.shown === "strip") viewer.zoomTo("fit");
      mirror();
    };
  }
  for (const button of document.querySelectorAll("[data-compare]")) {
    button.onclick = () => { viewer.set({compare: button.dataset.compare}); viewer.zoomTo("fit"); mirror(); };
  }
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.onclick = () => viewer.zoomTo(button.dataset.zoom === "fit" ? "fit" : Number(button.dataset.zoom));
  }
  for (const button of document.querySelectorAll("[data-go]")) button.onclick = () => viewer.go(viewer.frame + Number(button.dataset.go));
  for (const button of document.querySelectorAll("[data-review]")) {
    button.onclick = attempt(async () => {
      if (!facts) return;
      await send(`${addressOf(facts.id)}/review`, {first: viewer.shotOf(viewer.frame)[0], state: button.dataset.review});
      data = await timeline();
    });
  }
  $("number").onchange = () => viewer.go(Number($("number").value) || 0);
  $("play").onclick = () => viewer.play(1);
  $("stop").onclick = () => viewer.play(0);
  $("open").onclick = $("open-first").onclick = () => browse();
  $("browse-close").onclick = () => $("browse").close();
  $("undo").onclick = () => facts && viewer.edit("undo");
  $("redo").onclick = () => facts && viewer.edit("redo");
  $("search").onclick = attempt(async () => {
    if (!facts) return;
    await send(`${addressOf(facts.id)}/search`);
    searching = true;
    await tasks();
  });
  $("strength").onchange = () => option({strength: $("strength").value});
  $("repairer").onchange = () => option({repairer: $("repairer").value});
  $("grow").oninput = () => { $("grow-told").textContent = `${$("grow").value} px`; };
  $("grow").onchange = () => option({grow: Number($("grow").value)});
  $("regrain").onchange = () => option({regrain: $("regrain").checked});
  $("threshold").oninput = () => {
    const value = Number($("threshold").value);
    $("threshold-told").textContent = value ? `${Math.round(value * 100)} %` : "as found";
    viewer.set({threshold: value || null});
  };
  $("render").onclick = attempt(async () => {
    if (!facts) return;
    await send(`${addressOf(facts.id)}/render`, {film: $("film").value.trim()});
    await tasks();
  });
  $("safe").onchange = () => { const palette = $("safe").checked ? "safe" : "plain"; viewer.set({palette}); bar.set({palette}); };
  $("help-open").onclick = () => $("help").showModal();
  $("help-close").onclick = () => $("help").close();
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName)) $("help").showModal();
  });
  mirror();
  setInterval(() => tasks().catch(() => {}), REFRESH);
  return (fresh) => { data = fresh; };
}

// The page's frame is put in place by a script of its own, which may come later than this one.
function present(id) {
  return new Promise((resolve) => {
    const look = () => ($(id) ? resolve() : requestAnimationFrame(look));
    look();
  });
}

await present("help-close");
await attempt(async () => {
  wire();
  const reels = await listReels();
  const wanted = document.body.dataset.reel;
  if (wanted || reels.length) await openReel(wanted || reels[0].id);
})();
