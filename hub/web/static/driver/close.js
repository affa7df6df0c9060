// Close a job with exactly what it demands; what was begun survives a restart of the phone.

import { close as closeJob, place } from "./acts.js";
import { go, sync, told } from "./app.js";
import { findStop } from "./day.js";
import { button, h, link, toast } from "./dom.js";
import { goods } from "./goods.js";
import { photos } from "./photos.js";
import { signature } from "./signature.js";
import { AT_THE_DOOR, DEMANDS, KINDS, NOT_TRIED, REASONS, ended } from "./words.js";

const SECTIONS = ["lines", "photo", "signature", "name", "pin", "note"];

export const close = {
  still: true,
  back: (now, id) => {
    const found = findStop(now.routes, (stop) => stop.jobs.some((job) => job.job_id === id));
    return found ? `#/stop/${found.stop.stop_id}` : "#/";
  },
  async parts(now, id, how) {
    const found = findStop(now.routes, (stop) => stop.jobs.some((job) => job.job_id === id));
    const job = found?.stop.jobs.find((one) => one.job_id === id);
    if (!job) return [h("h1", {}, "Close"), h("p", { class: "card" }, "This job is no longer on your route.")];
    if (job.state === "closed") return [h("h1", {}, ended(job)), h("p", { class: "card" }, "This job is closed already.")];
    const draft = (await box.get(key(job, how))) ?? { photos: [], signature: null, name: "", note: "", pin: false, lines: {}, reason: "" };
    return form(now, found.route, job, how, draft);
  },
};

const key = (job, how) => `draft/${job.job_id}/${how}`;

function demanded(now, job, how) {
  if (how === "skipped") return [];
  // Where it may be left, other proof may be asked for.
  return how === "failed" ? now.day.failure_demands : job.demands ?? now.day.demands;
}

function form(now, route, job, how, draft) {
  const words = KINDS[job.kind] ?? KINDS.deliver;
  const demands = demanded(now, job, how);
  const check = h("ul", { class: "checklist", "aria-label": "Still needed" });
  const end = button("", () => finish(), "big wide");
  const changed = () => {
    box.set(key(job, how), draft);
    paint();
  };
  const paint = () => {
    const lack = lacking(demands, how, draft, job);
    check.replaceChildren(...[...(how === "done" ? [] : ["reason"]), ...demands].map((one) => tick(one, !lack.includes(one))));
    end.disabled = lack.length > 0;
    end.textContent = how === "done" && isPartial(draft, job) ? words.part : { done: words.done, failed: words.not, skipped: "End it for today" }[how];
  };
  const finish = async () => {
    end.disabled = true;
    try {
      await closeJob(route, job, proof(how, draft, job), [...draft.photos, draft.signature].filter(Boolean), key(job, how));
    } catch (problem) {
      toast(`Not saved: ${problem.message}`);
      return paint();
    }
    place().then(sync);
    toast(now.online ? "Saved." : "Saved on this phone. It is sent when there is signal.");
    go("#/");
    return told();
  };
  const made = Object.fromEntries(SECTIONS.map((name) => [name, () => section(name, words, job, draft, changed)]));
  const extra = SECTIONS.filter((name) => !demands.includes(name) && name !== "pin" && (how === "done" || ["note", "photo"].includes(name)));
  paint();
  return [
    h("h1", {}, { done: words.done, failed: words.not, skipped: "Not today" }[how] + (job.name ? ` · ${job.name}` : "")),
    h("div", { class: "stack" },
      how === "skipped" && whatFollows(words),
      how !== "done" && reasons(how, draft, changed),
      SECTIONS.filter((name) => demands.includes(name)).map((name) => made[name]()),
      extra.length > 0 && h("details", { class: "card", ontoggle: showWhole }, h("summary", {}, "Add more"), h("div", { class: "stack" }, extra.map((name) => made[name]()))),
      h("div", { class: "finish card stack tight" }, check, end)),
  ];
}

function whatFollows(words) {
  return h("div", { class: "card stack tight" },
    h("p", {}, `This ends the ${words.name.toLowerCase()} for today. The customer is told that it did not work out; another day is planned, or the dispatcher decides.`),
    h("p", {}, "Still possible today? Then do another stop first, and this one stays on your list."),
    link("Do another stop first", "#/", "secondary big"));
}

// What was unfolded is not left under the bar.
const showWhole = (event) => event.target.open && event.target.scrollIntoView({ block: "start" });

function section(name, words, job, draft, changed) {
  const field = (label, control) => h("div", { class: "card" }, h("div", { class: "field" }, h("label", { for: control.id }, label), control));
  const typed = (event) => {
    draft[name] = event.target.value;
    changed();
  };
  switch (name) {
    case "photo": return photos(draft, changed);
    case "signature": return signature(draft, changed);
    case "lines": return goods(words.goods, job, draft, changed);
    case "name": return field(words.who, h("input", { id: "name", autocomplete: "off", maxlength: "200", value: draft.name, oninput: typed }));
    case "note": return field("Note", h("textarea", { id: "note", maxlength: "1000", rows: "2", value: draft.note, oninput: typed }));
    default: return h("label", { class: "card choice" }, h("input", { type: "checkbox", checked: draft.pin, onchange: (event) => { draft.pin = event.target.checked; changed(); } }), "The customer told the right code");
  }
}

function reasons(how, draft, changed) {
  const choice = (reason) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "reason", value: reason, checked: draft.reason === reason, onchange: () => { draft.reason = reason; changed(); } }), REASONS[reason]);
  return h("fieldset", { class: "card choices" }, h("legend", {}, "Why?"), (how === "failed" ? AT_THE_DOOR : NOT_TRIED).map(choice));
}

const isPartial = (draft, job) => job.lines.some((line) => (draft.lines[line.n] ?? line.quantity) < line.quantity);

function lacking(demands, how, draft, job) {
  const met = {
    photo: draft.photos.length > 0,
    signature: draft.signature !== null,
    name: draft.name.trim() !== "",
    note: draft.note.trim() !== "",
    pin: draft.pin,
    lines: job.lines.every((line) => line.n in draft.lines),
    reason: draft.reason !== "",
  };
  return [...(how === "done" ? [] : ["reason"]), ...demands].filter((one) => !met[one]);
}

function tick(name, isMet) {
  return h("li", { class: isMet ? "met" : "" }, h("span", { "aria-hidden": "true" }, isMet ? "✓" : "○"), ` ${{ reason: "Reason", ...DEMANDS }[name]}`, h("span", { class: "hidden-visually" }, isMet ? " is there" : " is missing"));
}

function proof(how, draft, job) {
  const outcome = how === "done" ? (isPartial(draft, job) ? "partial" : "succeeded") : how;
  const lines = how === "done" ? job.lines.map((line) => ({ n: line.n, title: line.title, ordered: line.quantity, delivered: draft.lines[line.n] ?? line.quantity })) : [];
  return { outcome, ...(how !== "done" && { reason: draft.reason }), name: draft.name.trim(), note: draft.note.trim(), lines, ...(draft.pin && { pin_ok: true }) };
}
