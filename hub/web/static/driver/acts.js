// What the driver says happened goes into the box first; the hub hears of it from there.

import { hubTime } from "./clock.js";
import { isDriven } from "./day.js";
import { isSettled, known, settle } from "./position.js";

const SLIP_MS = 3000; // as hub.core.breaks_had has it
const HOLD_MS = 10_000; // longer than any wait for a place, also after a restart

// Time-ordered (UUID version 7), so that acts of one moment keep their order.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let now = Date.now();
  for (let n = 5; n >= 0; n -= 1, now = Math.floor(now / 256)) bytes[n] = now % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function act(kind, about, body = {}) {
  return { type: "act", act: { act_id: newId(), kind, occurred_at: new Date(hubTime()).toISOString(), ...about, body } };
}

// Kept until it is sent. Who goes on with his work rests no longer, also if he forgot to say so.
async function work(route, items, news, draft) {
  if (!route.on_break || !items.length) return box.add(items, news, draft);
  const [end, over] = breakOver(route);
  return box.add([end, ...items], { ...over, ...news }, draft);
}

function breakOver(route) {
  const end = act("end_break", { route_id: route.route_id });
  return [end, { [`${route.route_id}/on_break`]: { act_id: end.act.act_id, value: null } }];
}

export async function startBreak(route) {
  const start = act("start_break", { route_id: route.route_id });
  await box.add([start], { [`${route.route_id}/on_break`]: { act_id: start.act.act_id, value: start.act.occurred_at } });
}

// Whether it was a break: one that is over as it begins was a second tap, and the hub notes none.
export async function endBreak(route) {
  const [end, over] = breakOver(route);
  await box.add([end], over);
  return new Date(end.act.occurred_at) - new Date(route.on_break) > SLIP_MS;
}

export async function startShift(route) {
  const start = act("start_shift", { route_id: route.route_id });
  const seen = act("acknowledge", { route_id: route.route_id }, { version: route.version });
  await box.add([start, seen], {
    [`${route.route_id}/began_at`]: { act_id: start.act.act_id, value: start.act.occurred_at },
    [`${route.route_id}/acknowledged`]: { act_id: seen.act.act_id, value: route.version },
  });
}

export async function endShift(route) {
  const end = act("end_shift", { route_id: route.route_id });
  await work(route, [end], { [`${route.route_id}/ended_at`]: { act_id: end.act.act_id, value: end.act.occurred_at } });
}

export async function allLoaded(route) {
  const load = act("load", { route_id: route.route_id });
  await work(route, [load], { [`${route.route_id}/loaded`]: { act_id: load.act.act_id, value: true } });
}

// The load of another van is in this one, and its jobs are loaded by that.
export async function takeOver(route, stop) {
  const item = act("take_over", { route_id: route.route_id }, { stop_id: stop.stop_id });
  const { act_id, occurred_at } = item.act;
  const aboard = stop.take_over.job_ids.map((id) => [id, { act_id, state: "loaded" }]);
  await work(route, [item], { [`${stop.stop_id}/taken`]: { act_id, value: occurred_at }, ...Object.fromEntries(aboard) });
}

export async function acknowledge(route) {
  const seen = act("acknowledge", { route_id: route.route_id }, { version: route.version });
  await box.add([seen], { [`${route.route_id}/acknowledged`]: { act_id: seen.act.act_id, value: route.version } });
  const left = { ...(await box.get("changes")) };
  delete left[route.route_id];
  await box.set("changes", left);
}

// `kind` for every job at the stop that is not as far yet.
export async function move(route, stop, kind, state, before) {
  const jobs = stop.jobs.filter((job) => before.includes(job.state));
  const items = jobs.map((job) => act(kind, { job_id: job.job_id, route_id: route.route_id }));
  const told = Object.fromEntries(items.map((item) => [item.act.job_id, { act_id: item.act.act_id, state }]));
  if (items.length) await work(route, items, told);
}

// Arrived at this stop. How far its jobs were is kept, for a tap by mistake.
export async function arrive(route, stop) {
  await box.set("before", Object.fromEntries(stop.jobs.map((job) => [job.job_id, job.state])));
  await move(route, stop, "arrive", "arrived", ["dispatched", "loaded", "en_route"]);
}

// Not there yet, whoever said so: as far as before, until the hub knows better.
export async function notArrived(route, stop) {
  const before = { ...(await box.get("before")) };
  const jobs = stop.jobs.filter((job) => job.state === "arrived");
  const items = jobs.map((job) => act("not_arrived", { job_id: job.job_id, route_id: route.route_id }));
  const usual = route.loaded ? "loaded" : "dispatched";
  const told = items.map(({ act: { act_id, job_id } }) => [job_id, { act_id, state: before[job_id] ?? usual, back: true }]);
  if (items.length) await box.add(items, Object.fromEntries(told));
}

// On the way to this stop, whatever was next before: a door headed for or stood at waits again.
export async function headFor(route, stop) {
  const about = (job) => ({ job_id: job.job_id, route_id: route.route_id });
  const others = route.stops.filter((one) => one.stop_id !== stop.stop_id).flatMap((one) => one.jobs);
  const jobs = stop.jobs.filter((job) => ["dispatched", "loaded"].includes(job.state));
  const left = others.filter((job) => job.state === "arrived").map((job) => act("leave", about(job)));
  const heads = jobs.map((job) => act("head_for", about(job)));
  const items = [...left, ...heads];
  if (!items.length) return;
  const { act_id } = items.at(-1).act;
  const waits = others.filter((job) => ["en_route", "arrived"].includes(job.state));
  await work(route, items, {
    ...Object.fromEntries(waits.map((job) => [job.job_id, { act_id, state: "dispatched", back: true }])),
    ...Object.fromEntries(jobs.map((job) => [job.job_id, { act_id, state: "en_route" }])),
  });
}

// The end of a job with everything that proves it, kept at once with the place known now. If
// that is old or none, the act is held back a moment, in which `place` may find a better one.
export async function close(route, job, proof, files, draft) {
  const named = files.map(({ kind, sha256 }) => ({ kind, sha256 }));
  const where = isDriven(route) ? known() : { no_position: "The shift was not under way." };
  const body = { ...proof, ...where, files: named };
  const end = act("close", { job_id: job.job_id, route_id: route.route_id }, body);
  const hold = !isDriven(route) || isSettled() ? 0 : Date.now() + HOLD_MS;
  const items = files.map((file) => ({ type: "file", file: { job_id: job.job_id, ...file } }));
  const { outcome, reason } = proof;
  const told = { [job.job_id]: { act_id: end.act.act_id, state: "closed", outcome, reason } };
  await work(route, [{ ...end, hold }, ...items], told, draft);
}

// Give the acts held back their place, also those of a page that was closed meanwhile.
export async function place() {
  const held = (await box.waiting()).filter((item) => item.hold > Date.now());
  if (!held.length) return;
  await settle();
  for (const item of held) {
    await box.release(item.seq, { no_position: undefined, ...known(new Date(item.at)) });
  }
}
