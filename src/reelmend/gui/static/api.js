// Asking the desk. Whatever goes wrong is an Error whose message is a sentence.

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, {credentials: "same-origin", ...options});
  } catch {
    throw new Error("The desk does not answer. Is it still running?");
  }
  if (!answer.ok) {
    let said = `The desk refused (${answer.status}).`;
    try { said = (await answer.json()).error ?? said; } catch { /* no sentence came with it */ }
    throw new Error(said);
  }
  return answer;
}

export const get = async (path) => (await ask(path)).json();

export const send = async (path, body = {}, method = "POST") =>
  (await ask(path, {method, headers: {"content-type": "application/json"}, body: JSON.stringify(body)})).json();

// A reel's addresses.
export const reel = (id) => `/api/reels/${encodeURIComponent(id)}`;
