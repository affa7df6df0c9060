// The day: the next stop large, the later ones short, the done ones folded away.

import { acknowledge, allLoaded, endBreak, endShift, headFor, startBreak, startShift } from "./acts.js";
import { go, told } from "./app.js";
import { isCalledOff, isDone, isDriven } from "./day.js";
import { button, clock, count, h, link, toast } from "./dom.js";
import { sharing } from "./fixes.js";
import { trouble } from "./position.js";
import { fetched, nextStop } from "./stop.js";
import { ended } from "./words.js";

export const list = {
  async parts(now) {
    if (!now.day) return [h("h1", {}, "Today"), h("p", { class: "card" }, "The route has not reached this phone yet. It comes as soon as there is signal.")];
    if (!now.routes.length) return [h("h1", {}, `Hello, ${firstName(now)}`), h("p", { class: "card empty" }, none(now.day))];
    return now.routes.flatMap((route, n) => one(now, route, n));
  },
};

function none(day) {
  const [to] = day.handed_to ?? []; // a day kept by an older page has none
  if (to) return `The dispatcher handed your route to ${to}. There is nothing left on it for you.`;
  return "There is no route for you today. One appears here when the dispatcher publishes it.";
}

// Whether the hub knows where this phone is; told anew without drawing the rest.
export function share() {
  const line = document.getElementById("sharing");
  if (!line) return;
  const { look, text } = sharing(trouble());
  line.className = `sharing ${look}`;
  if (line.textContent !== text) line.textContent = text;
}

const firstName = (now) => now.day.driver.split(" ")[0];

function one(now, route, n) {
  const heading = n === 0 ? "h1" : "h2";
  if (!route.began_at) return notBegun(now, route, heading);
  const open = route.stops.filter((stop) => !isDone(stop));
  const done = route.stops.filter(isDone);
  const stops = route.stops.filter((stop) => !isCalledOff(stop));
  if (route.ended_at && open.length) return endedEarly(now, route, heading, open, done);
  const [next, ...later] = underWayFirst(open);
  return [
    h(heading, {}, `${open.length} of ${count(stops.length, "stop")} left`),
    isDriven(route) && h("p", { class: "sharing", id: "sharing", role: "status" }, ""),
    changed(now, route),
    resting(now, route),
    !route.loaded && h("div", { class: "card stack tight" }, h("p", {}, h("strong", {}, `Load ${route.vehicle || "the van"}: `), goods(route)), button("All loaded", async () => { await allLoaded(route); await told(); }, "secondary big")),
    next && nextStop(now, route, next),
    later.length > 0 && h("h2", {}, "After that"),
    later.length > 0 && h("ol", { class: "stops" }, later.map((stop) => short(now, stop, nextButton(route, stop)))),
    !next && finish(now, route),
    folded(now, done),
    isDriven(route) && next && !route.on_break && button("Start break", async () => { await startBreak(route); await told(); }, "secondary big"),
    next && link("End shift early", `#/end/${route.route_id}`, "quiet"),
  ];
}

function summed(stops) {
  const off = stops.filter(isCalledOff).length;
  return [stops.length > off && `${stops.length - off} done`, off > 0 && `${off} cancelled`].filter(Boolean).join(", ");
}

const folded = (now, done) => done.length > 0 && h("details", { class: "card" }, h("summary", {}, summed(done)), h("ol", { class: "stops" }, done.map((stop) => short(now, stop))));

function endedEarly(now, route, heading, open, done) {
  return [
    h(heading, {}, "The shift has ended"),
    changed(now, route),
    h("p", { class: "card" }, `${count(open.length, "stop")} stayed open. The dispatcher sees that and decides who goes on.`),
    h("ol", { class: "stops" }, open.map((stop) => short(now, stop))),
    folded(now, done),
  ];
}

function breaks(route, zone) {
  const spans = (some) => some.map(([from, to]) => `${clock(from, zone)}–${clock(to, zone)}`).join(", ");
  const had = (route.had ?? []).filter(([, to]) => to !== null);
  const said = [had.length > 0 && `Had a break ${spans(had)}`, route.rests?.length > 0 && `Break ${spans(route.rests)}`].filter(Boolean);
  return said.length > 0 && h("p", { class: "muted" }, said.join(" · "));
}

// The break that is under way, or the next that is planned.
function resting(now, route) {
  if (!isDriven(route)) return null;
  if (!route.on_break) return breaks(route, now.day.zone);
  const since = clock(route.on_break, now.day.zone);
  return h("section", { class: "card stack", "aria-label": "Break" },
    h("p", { class: "large" }, `On a break since ${since}`),
    h("p", { class: "muted" }, "The next stop waits. Tap when you go on."),
    button("End break", async () => {
      if (!(await endBreak(route))) toast("No break was noted: it ended as it began.");
      await told();
    }, "big"));
}

function notBegun(now, route, heading) {
  const first = route.stops[0];
  return [
    h(heading, {}, `Hello, ${firstName(now)}`),
    route.changes?.length > 0 && changed(now, route),
    h("div", { class: "card stack" },
      h("p", { class: "large" }, `${count(route.stops.filter((stop) => !isCalledOff(stop)).length, "stop")}, ${goods(route)}`),
      h("p", {}, [`${clock(route.starts_at, now.day.zone)} to ${clock(route.ends_at, now.day.zone)}`, route.vehicle, first && `first stop ${clock(first.take_over?.arrive_at ?? first.jobs[0].eta, now.day.zone)}`].filter(Boolean).join(" · ")),
      h("p", { class: "muted" }, `Start from ${route.depot}`),
      breaks(route, now.day.zone),
      button("Start shift", async () => { await startShift(route); await told(); }, "big"),
      h("p", { class: "hint" }, "From here to the end of the shift this phone notes where it is, and never before or after.")),
    h("h2", {}, "Your stops"),
    h("ol", { class: "stops" }, route.stops.map((stop) => short(now, stop))),
  ];
}

// What is loaded before leaving; what a later load brings is said apart, and what is fetched at
// another door is not at the depot.
function goods(route) {
  const again = new Set(route.stops.filter((stop) => stop.take_over?.reload).flatMap((stop) => stop.take_over.job_ids));
  const jobs = [...new Map(route.stops.flatMap((stop) => stop.jobs).filter((job) => job.kind === "deliver" && !job.from_door).map((job) => [job.job_id, job])).values()];
  const sum = (some) => some.reduce((all, job) => all + job.parcels, 0);
  const first = count(sum(jobs.filter((job) => !again.has(job.job_id))), "parcel");
  return again.size ? `${first} now, ${sum(jobs.filter((job) => again.has(job.job_id)))} later` : first;
}

// The stop the driver is at or on the way to comes first, whatever the order says.
function underWayFirst(stops) {
  const at = stops.findIndex((stop) => stop.jobs.some((job) => job.state === "arrived"));
  const towards = at >= 0 ? at : stops.findIndex((stop) => stop.jobs.some((job) => job.state === "en_route"));
  return towards > 0 ? [stops[towards], ...stops.filter((_, n) => n !== towards)] : stops;
}

function changed(now, route) {
  const orders = (route.changes ?? []).filter((one) => one.version > route.acknowledged);
  const named = new Set(orders.flatMap((one) => one.job_ids));
  const lines = (now.changed[route.route_id] ?? []).filter((line) => !named.has(line.job_id)).map((line) => line.text ?? line);
  if (!lines.length && !orders.length && route.acknowledged >= route.version) return null;
  return h("section", { class: "notice warn stack tight", role: "alert", "aria-label": "Route changed" },
    h("p", { class: "strong" }, "Your route has changed"),
    orders.map(amended),
    lines.length > 0 && h("ul", {}, lines.map((line) => h("li", {}, line))),
    !lines.length && !orders.length && h("p", {}, "Look through the stops."),
    button("I have seen it", async () => { await acknowledge(route); await told(); }, "big"));
}

// What was and what is now, also for who does not see the colours.
function amended(one) {
  return h("div", { class: "amended" }, h("p", { class: "strong" }, `Order ${one.number}`),
    h("dl", {}, one.changes.flatMap(([what, was, now]) => [
      h("dt", {}, what),
      h("dd", {}, was && h("span", { class: "was" }, h("span", { class: "muted" }, "was "), h("del", {}, was)), h("strong", {}, now || "nothing any more"))])));
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
  if (stop.take_over) return shortTakeOver(now, stop);
  const names = [...new Set(stop.jobs.map((job) => job.name).filter(Boolean))].join(", ");
  const collects = !isDone(stop) && stop.jobs.every((job) => job.kind === "collect");
  const end = isDone(stop) ? stop.jobs.map(ended).join(", ") : clock(stop.jobs[0].eta, now.day.zone);
  return h("li", {}, h("a", { class: "short", id: `stop-${stop.stop_id}`, href: `#/stop/${stop.stop_id}` },
    h("span", { class: "n" }, String(stop.n)),
    h("span", { class: "what" }, h("strong", {}, names || stop.address), names && h("span", { class: "muted" }, stop.address), collects && h("span", { class: "small" }, "Collect"), isDone(stop) && h("span", { class: "small" }, end)),
    !isDone(stop) && h("span", { class: "when" }, end)), action);
}

function shortTakeOver(now, stop) {
  const { place, arrive_at, done_at, reload } = stop.take_over;
  return h("li", {}, h("a", { class: "short", id: `stop-${stop.stop_id}`, href: `#/stop/${stop.stop_id}` },
    h("span", { class: "n" }, String(stop.n)),
    h("span", { class: "what" }, h("strong", {}, fetched(stop.take_over)), h("span", { class: "muted" }, place), isDone(stop) && h("span", { class: "small" }, done_at ? (reload ? "Loaded" : "Taken over") : "Not needed any more")),
    !isDone(stop) && h("span", { class: "when" }, clock(arrive_at, now.day.zone))));
}

function finish(now, route) {
  const [to] = now.day.handed_to ?? [];
  if (route.ended_at && to) return h("p", { class: "card empty" }, `The dispatcher ended this round: ${now.day.handed_to.join(", ")} took over what was left. Thank you.`);
  if (route.ended_at) return h("p", { class: "card empty" }, "The shift has ended. Thank you.");
  return h("div", { class: "card stack" }, h("p", { class: "large" }, "Every stop is done."),
    h("p", { class: "muted" }, `Back to ${route.depot}`),
    button("End shift", async () => { await endShift(route); await told(); go("#/"); }, "big"));
}
