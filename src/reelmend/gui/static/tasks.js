// What is under way: searches, renders and trials, and the films that were rendered.

import {get, reel, send} from "./api.js";
import {$, element} from "./dom.js";

const SHOWN = 6;

const time = (seconds) => seconds === null ? "" : seconds < 90 ? `${Math.round(seconds)} s left` : `${Math.round(seconds / 60)} min left`;

const size = (bytes) => bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / (1 << 20)).toFixed(1)} MB`;

const ACTS = {
  waiting: [["pause", "Pause"], ["give-up", "Give up"]], running: [["pause", "Pause"], ["give-up", "Give up"]],
  paused: [["go-on", "Go on"], ["give-up", "Give up"]], failed: [["go-on", "Try again"]],
};

export function taskTold(one) {
  const anew = one.kind === "render" && one.state === "done" ? `, ${one.repaired} repaired anew` : "";
  if (one.state !== "running") return `${one.state}, ${one.done} frames${anew}`;
  return `${one.done} of ${one.total ?? "?"}, ${one.speed} frames/s ${time(one.seconds_left)}`;
}

// The tasks of the desk, shown; `again` is called when one was paused, gone on with or given up.
export async function showTasks(attempt, again) {
  const all = await get("/api/tasks");
  $("tasks").replaceChildren(...all.slice(-SHOWN).reverse().map((one) => {
    const bar = element("progress", {max: one.total ?? Math.max(1, one.done), value: one.done, aria: {label: one.title}});
    const buttons = (ACTS[one.state] ?? []).map(([what, name]) => {
      const button = element("button", {textContent: name});
      button.onclick = attempt(async () => { await send(`/api/tasks/${one.id}/${what}`); await again(); });
      return button;
    });
    return element("div", {className: "task"}, element("div", {textContent: one.title}), bar,
                   element("div", {className: "quiet", textContent: taskTold(one)}),
                   element("div", {className: "said", textContent: one.said}), element("div", {className: "row"}, ...buttons));
  }));
  return all;
}

export const askRender = (id) => send(`${reel(id)}/render`, {
  film: $("film").value.trim(), masks: $("with-masks").checked, origins: $("with-origins").checked,
  report: $("with-report").checked, overwrite: $("replace").checked,
});

// The job that makes the same film on the command line.
function jobAddress(id) {
  const query = new URLSearchParams({
    film: $("film").value.trim(), masks: $("with-masks").checked, origins: $("with-origins").checked,
    report: $("with-report").checked,
  });
  return `${reel(id)}/job.toml?${query}`;
}

// What lies in the reel's folder of renders, to be fetched.
export async function showRenders(id) {
  const files = (await get(`${reel(id)}/renders`)).sort((a, b) => a.name.localeCompare(b.name));
  $("job-file").onclick = () => { $("job-file").href = jobAddress(id); };
  $("job-file").href = jobAddress(id);
  $("renders").replaceChildren(...files.map(({name, bytes}) =>
    element("div", {}, bytes === null ? name
      : element("a", {href: `${reel(id)}/renders/${encodeURIComponent(name)}`, download: name, textContent: name}),
      element("span", {className: "quiet", textContent: bytes === null ? " in the project's folder" : ` ${size(bytes)}`}))));
}
