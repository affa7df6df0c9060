// What the driver says happened goes into the box first; the hub hears of it from there.

import { position } from "./position.js";

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
  return { type: "act", act: { act_id: newId(), kind, occurred_at: new Date().toISOString(), ...about, body } };
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
  await box.add([end], { [`${route.route_id}/ended_at`]: { act_id: end.act.act_id, value: end.act.occurred_at } });
}

export async function allLoaded(route) {
  const load = act("load", { route_id: route.route_id });
  await box.add([load], { [`${route.route_id}/loaded`]: { act_id: load.act.act_id, value: true } });
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
  if (items.length) await box.add(items, told);
}

// The end of a job with everything that proves it, in one transaction.
export async function close(route, job, proof, files) {
  const named = files.map(({ kind, sha256 }) => ({ kind, sha256 }));
  const body = { ...proof, ...(await position()), files: named };
  const end = act("close", { job_id: job.job_id, route_id: route.route_id }, body);
  const items = files.map((file) => ({ type: "file", file: { job_id: job.job_id, ...file } }));
  const { outcome, reason } = proof;
  await box.add([end, ...items], { [job.job_id]: { act_id: end.act.act_id, state: "closed", outcome, reason } });
}
