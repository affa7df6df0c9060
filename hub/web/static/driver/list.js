// The day: the next stop large, the later ones short, the done ones folded away.

import { acknowledge, allLoaded, endShift, headFor, startShift } from "./acts.js";
import { go, told } from "./app.js";
import { isDone } from "./day.js";
import { button, clock, count, h } from "./dom.js";
import { nextStop } from "./stop.js";
import { ended } from "./words.js";

export const list = {
  async parts(now) {
    if (!now.day) return [h("h1", {}, "Today"), h("p", { class: "card" }, "The route has not reached this phone yet. It comes as soon as there is signal.")];
    if (!now.routes.length) return [h("h1", {}, `Hello, ${firstName(now)}`), h("p", { class: "card empty" }, "There is no route for you today. One appears here when the dispatcher publishes it.")];
    return now.routes.flatMap((route, n) => one(now, route, n));
  },
};

const firstName = (now) => now.day.driver.split(" ")[0];

function one(now, route, n) {
  const heading = n === 0 ? "h1" : "h2";
  if (!route.began_at) return notBegun(now, route, heading);
  const open = route.stops.filter((stop) => !isDone(stop));
  const done = route.stops.filter(isDone);
  const [next, ...later] = underWayFirst(open);
  return [
    h(heading, {}, `${open.length} of ${count(route.stops.length, "stop")} left`),
    changed(now, route),
    !route.loaded && h("div", { class: "card stack tight" }, h("p", {}, h("strong", {}, "Load the van: "), goods(route)), button("All loaded", async () => { await allLoaded(route); await told(); }, "secondary big")),
    next && nextStop(now, route, next),
    later.length > 0 && h("h2", {}, "After that"),
    later.length > 0 && h("ol", { class: "stops" }, later.map((stop) => short(now, stop, nextButton(route, stop)))),
    !next && finish(route),
    done.length > 0 && h("details", { class: "card" }, h("summary", {}, `${done.length} done`), h("ol", { class: "stops" }, done.map((stop) => short(now, stop)))),
  ];
}

function notBegun(now, route, heading) {
  const first = route.stops[0];
  return [
    h(heading, {}, `Hello, ${firstName(now)}`),
    h("div", { class: "card stack" },
      h("p", { class: "large" }, `${count(route.stops.length, "stop")}, ${goods(route)}`),
      h("p", {}, [`${clock(route.starts_at, now.day.zone)} to ${clock(route.ends_at, now.day.zone)}`, route.vehicle, first && `first stop ${clock(first.jobs[0].eta, now.day.zone)}`].filter(Boolean).join(" · ")),
      h("p", { class: "muted" }, `Start from ${route.depot}`),
      button("Start shift", async () => { await startShift(route); await told(); }, "big"),
      h("p", { class: "hint" }, "From here to the end of the shift this phone notes where it is, and never before or after.")),
    h("h2", {}, "Your stops"),
    h("ol", { class: "stops" }, route.stops.map((stop) => short(now, stop))),
  ];
}

function goods(route) {
  const parcels = new Map(route.stops.flatMap((stop) => stop.jobs).filter((job) => job.kind === "deliver").map((job) => [job.job_id, job.parcels]));
  return count([...parcels.values()].reduce((sum, n) => sum + n, 0), "parcel");
}

// The stop the driver is at or on the way to comes first, whatever the order says.
function underWayFirst(stops) {
  const at = stops.findIndex((stop) => stop.jobs.some((job) => job.state === "arrived"));
  const towards = at >= 0 ? at : stops.findIndex((stop) => stop.jobs.some((job) => job.state === "en_route"));
  return towards > 0 ? [stops[towards], ...stops.filter((_, n) => n !== towards)] : stops;
}

function changed(now, route) {
  const lines = now.changed[route.route_id] ?? [];
  if (!lines.length && route.acknowledged >= route.version) return null;
  return h("section", { class: "notice warn stack tight", role: "alert", "aria-label": "Route changed" },
    h("p", { class: "strong" }, "The dispatcher changed your route"),
    lines.length ? h("ul", {}, lines.map((line) => h("li", {}, line))) : h("p", {}, "Look through the stops."),
    button("I have seen it", async () => { await acknowledge(route); await told(); }, "big"));
}

// The plan's order is a proposal: any stop can come next, and the others wait.
function nextButton(route, stop) {
  const doNext = async () => {
    await headFor(route, stop);
    await told();
    go("#/");
  };
  const made = button("Do this one next", doNext, "quiet");
  made.setAttribute("aria-describedby", `stop-${stop.stop_id}`);
  return made;
}

function short(now, stop, action = null) {
  const names = [...new Set(stop.jobs.map((job) => job.name).filter(Boolean))].join(", ");
  const end = isDone(stop) ? stop.jobs.map(ended).join(", ") : clock(stop.jobs[0].eta, now.day.zone);
  return h("li", {}, h("a", { class: "short", id: `stop-${stop.stop_id}`, href: `#/stop/${stop.stop_id}` },
    h("span", { class: "n" }, String(stop.n)),
    h("span", { class: "what" }, h("strong", {}, names || stop.address), names && h("span", { class: "muted" }, stop.address), isDone(stop) && h("span", { class: "small" }, end)),
    !isDone(stop) && h("span", { class: "when" }, end)), action);
}

function finish(route) {
  if (route.ended_at) return h("p", { class: "card empty" }, "The shift has ended. Thank you.");
  return h("div", { class: "card stack" }, h("p", { class: "large" }, "Every stop is done."),
    h("p", { class: "muted" }, `Back to ${route.depot}`),
    button("End shift", async () => { await endShift(route); await told(); go("#/"); }, "big"));
}
