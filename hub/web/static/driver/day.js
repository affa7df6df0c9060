// The day as this phone knows it: the hub's last answer, and on top what was told since.

import { hear } from "./clock.js";

const FAR = { dispatched: 0, loaded: 1, en_route: 2, arrived: 3, closed: 4 };

// On shift: only then the phone notes where it is.
export const isDriven = (route) => Boolean(route.began_at && !route.ended_at);

// Fetch the route; answers whether the hub could be reached. A change is kept until seen.
export async function refresh() {
  const token = await box.get("token");
  if (!token) return false;
  const heard = await heardByHub();
  const last = await box.get("day");
  const headers = { Authorization: `Bearer ${token}`, ...(last?.etag && { "If-None-Match": last.etag }) };
  let answer;
  try {
    answer = await fetch("/driver/api/route", { headers, cache: "no-store", signal: AbortSignal.timeout(20_000) });
  } catch {
    await box.set("reached", { ok: false, at: Date.now() });
    return false;
  }
  await box.set("reached", { ok: answer.ok || answer.status === 304 || answer.status === 401, at: Date.now() });
  hear(answer.headers.get("Hub-Clock"));
  if (answer.status === 401) await box.set("revoked", true);
  if (answer.status === 200) await keep(await answer.json(), answer.headers.get("ETag"), last);
  if (answer.status === 200 || answer.status === 304) await drop(heard);
  return true;
}

async function keep(day, etag, last) {
  const seen = last ? changes(last.day, day) : {};
  await box.within(["kept"], "readwrite", (kept) => {
    kept.put({ day, etag }, "day");
    kept.delete("revoked");
    const asked = kept.get("changes");
    asked.onsuccess = () => {
      const all = { ...asked.result };
      for (const [id, lines] of Object.entries(seen)) all[id] = [...(all[id] ?? []), ...lines];
      kept.put(all, "changes");
    };
  });
}

// The acts told here that wait no more: an answer asked for from now on knows them. What was
// told is read first, or a tap in between would look as if it had been sent.
async function heardByHub() {
  const told = Object.values((await box.get("told")) ?? {}).map(({ act_id }) => act_id);
  const waiting = new Set((await box.waiting()).map((item) => item.act?.act_id));
  return new Set(told.filter((act_id) => !waiting.has(act_id)));
}

async function drop(heard) {
  await box.within(["kept"], "readwrite", (kept) => {
    const asked = kept.get("told");
    asked.onsuccess = () => {
      const left = Object.entries(asked.result ?? {}).filter(([, { act_id }]) => !heard.has(act_id));
      kept.put(Object.fromEntries(left), "told");
    };
  });
}

// What changed, by route, in sentences and about which job; nothing for a route that is new on this phone.
export function changes(before, after) {
  const found = {};
  for (const route of after.routes) {
    const old = before.routes.find((one) => one.route_id === route.route_id);
    const lines = old ? compared(old, route) : [];
    if (lines.length) found[route.route_id] = lines;
  }
  return found;
}

function compared(before, after) {
  const was = byJob(before);
  const is = byJob(after);
  const known = new Set(before.stops.map((stop) => stop.stop_id));
  const fetches = after.stops.filter((stop) => stop.take_over && !known.has(stop.stop_id));
  const lines = fetches.map((stop) => ({ text: stop.take_over.reload ? `Back at the depot to load again, as stop ${stop.n}` : `Take over the load of ${stop.take_over.van}, as stop ${stop.n}` }));
  for (const [id, { stop, job }] of is) {
    if (!was.has(id)) lines.push({ job_id: id, text: `Added: stop ${stop.n}, ${called(stop, job)}` });
    else if (job.outcome === "cancelled" && was.get(id).job.outcome !== "cancelled") lines.push({ job_id: id, text: `Cancelled: ${called(stop, job)}` });
  }
  for (const [id, { stop, job }] of was) if (!is.has(id)) lines.push({ job_id: id, text: `Removed: ${called(stop, job)}` });
  const stays = (id) => was.has(id) && is.has(id) && !isCancelled(is.get(id).job);
  const kept = [...was.keys()].filter(stays);
  const now = [...is.keys()].filter(stays);
  const moved = now.filter((id, n) => kept[n] !== id);
  if (moved.length === 2) lines.push({ text: `Swapped: ${moved.map((id) => called(is.get(id).stop, is.get(id).job)).join(" and ")}` });
  else if (moved.length) lines.push({ text: `The order changed from stop ${Math.min(...moved.map((id) => is.get(id).stop.n))} on` });
  return lines;
}

const byJob = (route) => new Map(route.stops.flatMap((stop) => stop.jobs.map((job) => [job.job_id, { stop, job }])));
const called = (stop, job) => [job.name, stop.address].filter(Boolean).join(", ");

// Everything a screen needs, with what was told put over what the hub knows.
export async function look() {
  const [last, told, changed, items, revoked, reached, token] = await Promise.all([
    box.get("day"), box.get("told"), box.get("changes"), box.all(), box.get("revoked"), box.get("reached"), box.get("token"),
  ]);
  const day = last?.day ?? null;
  const routes = (day?.routes ?? []).map((route) => withTold(route, told ?? {}));
  return { day, routes, changed: changed ?? {}, items, revoked: Boolean(revoked), reached, token, online: navigator.onLine && reached?.ok !== false };
}

function withTold(route, told) {
  const on_break = route.had?.find(([, until]) => until === null)?.[0] ?? null;
  const news = ["began_at", "ended_at", "loaded", "acknowledged", "on_break"].reduce((all, name) => {
    const known = told[`${route.route_id}/${name}`];
    return known ? { ...all, [name]: known.value } : all;
  }, { on_break });
  const stops = route.stops.map((stop) => ({ ...stop, jobs: stop.jobs.map((job) => over(job, told[job.job_id])), ...taken(stop, told) }));
  const jobs = stops.flatMap((stop) => stop.jobs);
  const fetched = new Set(stops.flatMap((stop) => stop.take_over?.job_ids ?? []));
  const onlyFetches = fetched.size > 0 && jobs.every((job) => job.kind !== "deliver" || fetched.has(job.job_id)); // nothing is at the depot
  const loaded = news.loaded || onlyFetches || jobs.some((job) => (FAR[job.state] ?? 0) > 0);
  return { ...route, ...news, loaded, stops };
}

function taken(stop, told) {
  const known = told[`${stop.stop_id}/taken`];
  return stop.take_over && { take_over: { ...stop.take_over, done_at: stop.take_over.done_at ?? known?.value ?? null } };
}

function over(job, told) {
  if (!told || job.state === "closed" || (!told.back && FAR[told.state] < FAR[job.state])) return job;
  return { ...job, state: told.state, outcome: told.outcome ?? "", reason: told.reason ?? "" };
}

const isCancelled = (job) => job.outcome === "cancelled";
// A stop with a load to take over has no jobs of its own.
export const isCalledOff = (stop) => (stop.take_over ? !stop.take_over.needed && !stop.take_over.done_at : stop.jobs.every(isCancelled));
export const isDone = (stop) => (stop.take_over ? Boolean(stop.take_over.done_at) || !stop.take_over.needed : stop.jobs.every((job) => job.state === "closed"));

export function findStop(routes, wanted) {
  for (const route of routes) for (const stop of route.stops) if (wanted(stop)) return { route, stop };
  return null;
}
