// The desk's page: it ties the viewer, the timeline, the panels and the views to each other and to the desk.

import {get, reel as addressOf, send} from "./api.js";
import {blobTold} from "./blobs.js";
import {$, element} from "./dom.js";
import {listReels, wireOpening} from "./open.js";
import {COLOURS, KINDS} from "./overlays.js";
import {askRender, showRenders, showTasks, taskTold} from "./tasks.js";
import "./timeline.js";
import {TOOLS} from "./tools.js";
import {showTrial, startTrial, wireTrial} from "./trial.js";
import {VIEWS, currentView, showView, viewChanged} from "./views.js";
import "./viewer.js";
import "./wall.js";

const REFRESH = 1000;        // ms between looks at what is under way
const LISTED = 6;            // worst and unsure frames

let facts = null, data = null;
const busy = new Map();      // kinds of tasks under way on this reel, by number

const context = {get facts() { return facts; }, choose: (name) => option({repairer: name})};

function fail(error) { $("said").textContent = error.message ?? String(error); }

const attempt = (work) => async (...given) => {
  $("said").textContent = "";
  try { return await work(...given); } catch (error) { fail(error); return undefined; }
};

// The reel and its facts

async function openReel(id) {
  $("viewer").setAttribute("reel", id);
  facts = await get(addressOf(id));
  busy.clear();
  showFacts();
  await Promise.all([listReels(id, attempt, openReel), timeline(), tasks(), showRenders(id)]);
  await showView(currentView(), context);
  if (currentView() === "desk") $("viewer").focus();
}

function showFacts() {
  const {width, height, frames, rate, pixel_format: pixels, codec, timecode} = facts;
  const count = frames ?? "?", time = timecode ? `  ${timecode}` : "";
  $("facts").textContent = `${facts.id}   ${width} × ${height}   ${count} frames at ${rate}   ${codec} ${pixels}${time}`;
  $("facts").title = $("facts").textContent;
  $("proxies").hidden = !facts.proxy;
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

function changed() {
  $("viewer").refresh();
  viewChanged(context, fail);
}

const saveOption = attempt(async (values) => {
  facts = await send(`${addressOf(facts.id)}/options`, values, "PATCH");
  showFacts();
  changed();
});

// One after the other; work that goes by them waits until they are kept.
let kept = Promise.resolve();
const option = (values) => (kept = kept.then(() => saveOption(values)));

// Findings

async function timeline() {
  if (!facts) return;
  data = await get(`${addressOf(facts.id)}/timeline`);
  $("viewer").shots = data.shots.length ? data.shots : [0];
  $("timeline").set({data, count: facts.frames ?? 0, frame: $("viewer").frame});
  listFrames("worst", data.damaged);
  listFrames("unsure", data.unsure ?? []);
  $("unsure-told").hidden = !$("unsure").childElementCount;
  showReview();
}

// The frames of the largest values, to click on.
function listFrames(place, values) {
  const most = values.map((value, n) => [value, n]).filter(([value]) => value > 0).sort((a, b) => b[0] - a[0]).slice(0, LISTED);
  $(place).replaceChildren(...most.map(([, n]) => {
    const button = element("button", {textContent: n});
    button.onclick = () => $("viewer").go(n);
    return button;
  }));
}

function showReview() {
  if (!data) return;
  const [first, last] = $("viewer").shotOf($("viewer").frame);
  $("range-first").placeholder = first;
  $("range-last").placeholder = last;
  $("shot").textContent = data.shots.length ? `Shot of frames ${first} to ${last}` : "No shots known yet";
  for (const button of document.querySelectorAll("[data-review]")) {
    button.setAttribute("aria-pressed", String((data.reviews[first] ?? "to do") === button.dataset.review));
  }
}

// What is under way

async function tasks() {
  const all = await showTasks(attempt, tasks);
  const own = all.filter((one) => one.reel === facts?.id);
  const trial = own.findLast((one) => one.kind === "trial");
  $("trial-progress").textContent = trial && trial.state !== "done" ? `${trial.title}: ${taskTold(trial)} ${trial.said}` : "";
  for (const one of own) {
    const under = one.state === "running" || one.state === "waiting";
    if (under) busy.set(one.id, one.kind);
    if (!busy.has(one.id)) continue;
    if (!under) busy.delete(one.id);
    if (one.kind === "search") { await timeline(); $("viewer").refresh(); }
    if (under) continue;
    if (one.kind === "search") await reelChanged();
    if (one.kind === "render") { await Promise.all([showRenders(facts.id), timeline()]); }
    if (one.kind === "trial" && currentView() === "trial") await showTrial(facts.id);
  }
}

const review = attempt(async (state, goOn) => {
  if (!facts) return;
  const viewer = $("viewer"), [first] = viewer.shotOf(viewer.frame);
  await send(`${addressOf(facts.id)}/review`, {first, state});
  await timeline();
  // On to what is still to do, from here on and then from the beginning.
  if (!goOn || !data.shots.length) return;
  const open = data.shots.filter((one) => (data.reviews[one] ?? "to do") === "to do");
  if (open.length) viewer.go(open.find((one) => one > first) ?? open[0]);
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
  showLegend();
}

function showLegend() {
  const viewer = $("viewer");
  $("legend").hidden = !viewer.shown.kinds;
  $("legend").replaceChildren(...KINDS.map((name, n) => {
    const swatch = element("i", {className: "swatch"});
    swatch.style.background = `rgb(${COLOURS[viewer.palette].kinds[n]})`;
    return element("span", {className: "mark"}, swatch, name);
  }));
}

function wireViewer() {
  const viewer = $("viewer"), bar = $("timeline");
  viewer.addEventListener("frame", ({detail}) => {
    $("number").value = detail.frame;
    bar.set({frame: detail.frame});
    showReview();
    viewChanged(context, fail);
  });
  viewer.addEventListener("edited", async () => { await timeline(); viewChanged(context, fail); });
  viewer.addEventListener("changed", mirror);
  viewer.addEventListener("failed", ({detail}) => fail(new Error(detail.said)));
  viewer.addEventListener("asked", ({detail}) => { $("asked").textContent = blobTold(detail); });
  viewer.addEventListener("review", ({detail}) => review(detail.state, true));
  viewer.addEventListener("number", () => { $("number").focus(); $("number").select(); });
  bar.addEventListener("chosen", ({detail}) => viewer.go(detail.frame));
  $("wall").addEventListener("stepped", ({detail}) => viewer.go(viewer.frame + detail.by));
  for (const button of document.querySelectorAll("[data-tool]")) button.onclick = () => viewer.pick(button.dataset.tool);
  for (const button of document.querySelectorAll("[data-shown]")) button.onclick = () => viewer.toggle(button.dataset.shown);
  for (const button of document.querySelectorAll("[data-compare]")) {
    button.onclick = () => { viewer.set({compare: button.dataset.compare}); viewer.zoomTo("fit"); mirror(); };
  }
  for (const button of document.querySelectorAll("[data-zoom]")) {
    const scale = button.dataset.zoom === "fit" ? "fit" : Number(button.dataset.zoom);
    button.onclick = () => (currentView() === "desk" ? viewer : $("wall")).zoomTo(scale);
  }
  for (const button of document.querySelectorAll("[data-go]")) button.onclick = () => viewer.go(viewer.frame + Number(button.dataset.go));
  const bound = (id) => ($(id).value === "" ? null : Number($(id).value));
  for (const id of ["range-first", "range-last"]) $(id).onchange = () => viewer.set({range: [bound("range-first"), bound("range-last")]});
  $("number").onchange = () => viewer.go(Number($("number").value) || 0);
  $("play").onclick = () => viewer.player.play(1);
  $("stop").onclick = () => viewer.player.play(0);
  $("undo").onclick = () => facts && viewer.edit("undo");
  $("redo").onclick = () => facts && viewer.edit("redo");
  $("threshold").oninput = () => {
    const value = Number($("threshold").value);
    $("threshold-told").textContent = value ? `${Math.round(value * 100)} %` : "as found";
    viewer.set({threshold: value || null});
  };
}

function wireWork() {
  for (const button of document.querySelectorAll("[data-review]")) {
    button.onclick = () => review(button.dataset.review, false);
  }
  const begin = (work) => attempt(async () => {
    if (!facts) throw new Error("Open a reel first.");
    await kept;
    const task = await work();
    busy.set(task.id, task.kind);
    await tasks();
  });
  $("search").onclick = begin(() => send(`${addressOf(facts.id)}/search`));
  $("render").onclick = begin(() => askRender(facts.id));
  $("proxies").onclick = begin(() => send(`${addressOf(facts.id)}/proxies`));
  $("trial-go").onclick = begin(startTrial);
  $("strength").onchange = () => option({strength: $("strength").value});
  $("repairer").onchange = () => option({repairer: $("repairer").value});
  $("grow").oninput = () => { $("grow-told").textContent = `${$("grow").value} px`; };
  $("grow").onchange = () => option({grow: Number($("grow").value)});
  $("regrain").onchange = () => option({regrain: $("regrain").checked});
}

function wireLooks() {
  const viewer = $("viewer");
  $("safe").onchange = () => {
    const palette = $("safe").checked ? "safe" : "plain";
    viewer.set({palette});
    $("timeline").set({palette});
    showLegend();
  };
  $("wall-slow").onchange = () => viewChanged(context, fail);
  const view = attempt((name) => showView(name, context));
  for (const button of document.querySelectorAll("[data-view-of]")) button.onclick = () => view(button.dataset.viewOf);
  $("help-open").onclick = () => $("help").showModal();
  $("help-close").onclick = () => $("help").close();
  document.addEventListener("keydown", (event) => {
    if (event.altKey && VIEWS[Number(event.key) - 1]) { event.preventDefault(); view(VIEWS[Number(event.key) - 1]); return; }
    if (event.key === "?" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName)) $("help").showModal();
  });
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
  wireViewer();
  wireWork();
  wireLooks();
  wireTrial();
  wireOpening(attempt, openReel);
  mirror();
  setInterval(() => tasks().catch(() => {}), REFRESH);
  const reels = await listReels(null, attempt, openReel);
  const wanted = document.body.dataset.reel;
  if (wanted || reels.length) await openReel(wanted || reels[0].id);
})();
