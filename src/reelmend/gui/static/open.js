// Opening a reel: the list of reels, the server's folders, a typed path, films dropped on the page.

import {ask, get, send} from "./api.js";
import {$, element, row} from "./dom.js";

// `opened` is called with the id of a reel to show; `attempt` wraps what may fail.
export function wireOpening(attempt, opened) {
  const add = attempt(async (source) => {
    const {id} = await send("/api/reels", {source});
    $("browse").close();
    await opened(id);
  });

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
      return row(look, one.folder && one.name !== ".." ? whole : "");
    }));
    if (!$("browse").open) $("browse").showModal();
  });

  $("open").onclick = $("open-first").onclick = () => browse();
  $("browse-close").onclick = () => $("browse").close();
  $("browse-typed").onkeydown = (event) => {
    if (event.key !== "Enter" || !$("browse-typed").value.trim()) return;
    event.preventDefault();
    add($("browse-typed").value.trim());
  };
  wireDrop(attempt, opened);
}

// A film, or the images of a sequence, are copied into the project.
function wireDrop(attempt, opened) {
  const taken = attempt(async (files) => {
    if (!files.length) return;
    const stem = files[0].name.replace(/\.[^.]*$/, "").replace(/[^\w .,()+@#%=-]/g, "-").replace(/^[^\w]+/, "") || "dropped";
    const batch = `${stem}-${Date.now().toString(36)}`;
    for (const [n, file] of files.entries()) {
      $("drop").textContent = `Copying ${file.name}, ${n + 1} of ${files.length}…`;
      await ask(`/api/uploads/${encodeURIComponent(batch)}/${encodeURIComponent(file.name)}`, {method: "PUT", body: file});
    }
    const {id} = await send(`/api/uploads/${encodeURIComponent(batch)}`);
    await opened(id);
  });
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const ready = () => { $("drop").textContent = "Drop to copy it into the project and open it"; };
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").hidden = true; });
  document.addEventListener("drop", async (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
    await taken([...event.dataTransfer.files].sort((a, b) => a.name.localeCompare(b.name)));
    $("drop").hidden = true;
    ready();
  });
}

export async function listReels(shown, attempt, opened) {
  const reels = await get("/api/reels");
  $("reels").replaceChildren(...reels.map((one) => {
    const button = element("button", {className: "reel", textContent: one.id, title: one.source, aria: {pressed: String(one.id === shown)}});
    button.onclick = attempt(() => opened(one.id));
    return button;
  }));
  $("empty").hidden = reels.length > 0;
  return reels;
}
