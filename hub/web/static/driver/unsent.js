// What the hub has not heard, or did not take; nothing leaves this list unseen.

import { sync } from "./app.js";
import { findStop } from "./day.js";
import { ago, button, count, h, link, size, toast } from "./dom.js";
import { ACTS, KINDS, ended } from "./words.js";

export const unsent = {
  async parts(now) {
    const refused = now.items.filter((item) => item.refused);
    const waiting = now.items.filter((item) => !item.refused);
    return [
      h("h1", {}, waiting.length ? `${waiting.length} to send` : refused.length ? `${refused.length} not taken` : "Everything is sent"),
      refused.length > 0 && h("p", {}, "The hub did not take this. Tell the dispatcher, then dismiss it."),
      refused.map((item) => no(now, item)),
      waiting.length > 0 && h("ul", { class: "unsent card flush" }, waiting.map((item) => row(now, item))),
      waiting.length > 0 && button("Send now", async () => { await sync(); }, "big wide"),
      now.items.length > 0 && button("Save to a file", save, "secondary big wide"),
      !waiting.length && !refused.length && h("p", { class: "card muted" }, "What you do without signal waits here until the hub has it."),
      now.token && link("Pair this phone anew", "#/pair", "quiet"),
    ];
  },
};

function no(now, item) {
  return h("article", { class: "card stack tight" },
    h("p", { class: "strong" }, what(now, item)),
    h("p", { class: "error" }, item.refused),
    h("p", { class: "small muted" }, ago(item.at)),
    button("Dismiss", () => box.dismiss(item.seq).then(sync), "secondary big"));
}

function row(now, item) {
  const bytes = item.file ? size(item.file.bytes.byteLength) : "";
  return h("li", {}, h("p", { class: "strong" }, what(now, item)),
    h("p", { class: "small muted" }, [ago(item.at), bytes, item.tries > 0 && count(item.tries, "try", "tries")].filter(Boolean).join(" · ")),
    item.error && h("p", { class: "error" }, item.error));
}

function what(now, item) {
  const job_id = item.act?.job_id ?? item.file?.job_id;
  const job = findStop(now.routes, (stop) => stop.jobs.some((one) => one.job_id === job_id))?.stop.jobs.find((one) => one.job_id === job_id);
  const who = job ? ` · ${job.name || KINDS[job.kind].name} ${job.number}` : "";
  if (item.file) return `${item.file.kind === "photo" ? "Photo" : "Signature"}${who}`;
  const { kind, body } = item.act;
  return (kind === "close" ? ended({ kind: job?.kind ?? "deliver", ...body }) : ACTS[kind]) + who;
}

// For the dispatcher, when this phone can no longer send: all of it, pictures too.
async function save() {
  const items = (await box.all()).map(({ file, ...rest }) => (file ? { ...rest, file: { ...file, bytes: base64(file.bytes) } } : rest));
  const url = URL.createObjectURL(new Blob([JSON.stringify({ saved_at: new Date().toISOString(), items })], { type: "application/json" }));
  const made = h("a", { href: url, download: `unsent-${new Date().toISOString().slice(0, 16).replace(":", "")}.json` });
  made.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  toast("Saved. Give the file to the dispatcher.");
}

function base64(bytes) {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text);
}
