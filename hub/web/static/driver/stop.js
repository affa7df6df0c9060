// One stop: how to get there, whom to call, what to do at the door.

import { arrive, headFor, notArrived, takeOver } from "./acts.js";
import { told } from "./app.js";
import { hubTime } from "./clock.js";
import { findStop, isDone } from "./day.js";
import { button, clock, count, h, link } from "./dom.js";
import { turns } from "./turns.js";
import { KINDS, ROLES, ended } from "./words.js";

export const stop = {
  async parts(now, id) {
    const found = findStop(now.routes, (one) => one.stop_id === id);
    if (!found) return [h("h1", {}, "Stop"), h("p", { class: "card" }, "This stop is no longer on your route.")];
    return [whole(now, found.route, found.stop, "h1")];
  },
};

export const nextStop = (now, route, one) => whole(now, route, one, "h2");

function whole(now, route, one, heading) {
  if (one.take_over) return fetching(now, route, one, heading);
  const arrived = one.jobs.some((job) => job.state === "arrived");
  return h("article", { class: "card stack next" },
    h("div", { class: "row apart top" },
      h(heading, { class: "large" }, `${one.n}. ${names(one) || one.address}`),
      arrived ? h("span", { class: "pill ok" }, "Arrived") : one.jobs.some((job) => job.state === "en_route") && h("span", { class: "pill info" }, "On the way")),
    names(one) && h("p", { class: "large address" }, one.address),
    when(now, one),
    one.access_note && h("p", { class: "notice info" }, one.access_note),
    one.safe_place && h("p", {}, h("strong", {}, "Safe place: "), one.safe_place),
    !isDone(one) && way(route, one, arrived),
    toDoFirst(one.jobs).map((job) => work(now, route, one, job, arrived)));
}

// Not a customer: another van stands here, its load is back at the depot, or this one loads again.
function fetching(now, route, one, heading) {
  const { van, driver, place, parcels, numbers, ready_at, done_at, needed, reload } = one.take_over;
  const taken = async () => {
    await takeOver(route, one);
    await told();
  };
  const open = !done_at && needed;
  const title = fetched(one.take_over);
  const orders = numbers.length > 0 && `order${numbers.length === 1 ? "" : "s"} ${numbers.join(", ")}`;
  return h("article", { class: "card stack next", "aria-label": title },
    h("div", { class: "row apart top" },
      h(heading, { class: "large" }, `${one.n}. ${title}`),
      done_at && h("span", { class: "pill ok" }, reload ? "Loaded" : "Taken over"), !done_at && !needed && h("span", { class: "pill" }, "Not needed any more")),
    h("p", { class: "large address" }, place),
    h("p", {}, `${reload ? "" : `${driver} drove it. `}${[count(parcels, "parcel"), orders].filter(Boolean).join(", ")}.`),
    open && ready_at && new Date(hubTime()) < new Date(ready_at) && h("p", { class: "strong" }, `It is there from ${clock(ready_at, now.day.zone)}.`),
    open && h("div", { class: "two" },
      h("a", { class: "button big secondary", href: mapLink({ ...one, address: place }) }, "Navigate"),
      route.began_at && button(reload ? "All loaded" : "Load taken over", taken, "big")),
    open && h("p", { class: "hint" }, reload ? "Put down what you collected, then tap it once everything is in your van." : "Tap it once everything is in your van. Until then these orders are shown as in the other one."));
}

// What is done at a stop that is nobody's door.
export function fetched({ reload, parcels, van }) {
  if (!reload) return `Take over the load of ${van}`;
  return parcels ? `Back at the depot: load ${count(parcels, "parcel")}` : "Back at the depot: unload";
}

const isCancelled = (job) => job.outcome === "cancelled";
const toDoFirst = (jobs) => [...jobs.filter((job) => !isCancelled(job)), ...jobs.filter(isCancelled)];

const names = (one) => [...new Set(one.jobs.map((job) => job.name).filter(Boolean))].join(", ");

// "Tue ", where the first moment is on another day than the second.
function dayIfOther(at, other, zone) {
  const day = (moment) => new Date(moment).toLocaleDateString("en-GB", { weekday: "short", timeZone: zone });
  return day(at) === day(other) ? "" : `${day(at)} `;
}

function when(now, one) {
  const job = one.jobs.find((each) => each.state !== "closed") ?? one.jobs[0];
  const zone = now.day.zone;
  const late = job.state !== "closed" && job.closes && new Date(job.eta) > new Date(job.closes);
  const begins = clock(job.eta, zone);
  const early = (at) => job.not_before && new Date(at) < new Date(job.not_before);
  const arrived = job.state === "arrived";
  const waits = job.state !== "closed" && early(hubTime()) && (arrived || early(job.arrive_at));
  const until = clock(job.not_before, zone);
  const told = job.told_opens && `${clock(job.told_opens, zone)}–${clock(job.told_closes, zone)}`;
  const asked = job.opens && `${clock(job.opens, zone)}–${clock(job.closes, zone)}`;
  const wished = job.wished_opens && `${clock(job.wished_opens, zone)}–${clock(job.wished_closes, zone)}`;
  const why = told && Number(new Date(job.not_before)) === Number(new Date(job.told_opens)) ? `: the customer was told ${told}` : "";
  return [
    h("p", {},
      job.opens && h("span", {}, `Between ${clock(job.opens, zone)} and ${clock(job.closes, zone)} · `),
      job.others?.length > 0 && h("span", {}, `or ${job.others.map(([opens, closes]) => `${dayIfOther(opens, job.opens, zone)}${clock(opens, zone)}–${clock(closes, zone)}`).join(" or ")} · `),
      told && told !== asked && h("span", {}, `promised ${told} · `),
      wished && h("span", {}, `wished ${wished} · `),
      h("span", { class: late ? "late" : "" }, late ? `late: ${begins}` : `about ${begins}`)),
    waits && h("p", { class: "strong" }, arrived ? `Wait until ${until}${why}.` : `There about ${clock(job.arrive_at, zone)}. Wait until ${until}${why}.`),
  ];
}

function way(route, one, arrived) {
  const leave = async () => {
    await headFor(route, one);
    await told();
  };
  const come = async () => {
    await arrive(route, one);
    await told();
  };
  const not_yet = async () => {
    await notArrived(route, one);
    await told();
  };
  return h("div", { class: "two" },
    h("a", { class: "button big secondary", href: mapLink(one), onclick: leave }, "Navigate"),
    route.began_at && (arrived ? button("Not there yet", not_yet, "big quiet aside") : button("Arrived", come, "big")),
    !arrived && turns(one));
}

// The phone's own map app opens it; nothing is loaded from it into this page.
export function mapLink(one, agent = navigator.userAgent) {
  const point = one.lat === null ? "" : `${one.lat},${one.lon}`;
  const place = encodeURIComponent(one.address);
  if (/iPhone|iPad|Macintosh/.test(agent)) return `https://maps.apple.com/?daddr=${point || place}`;
  return point ? `geo:${point}?q=${point}(${place})` : `geo:0,0?q=${place}`;
}

function work(now, route, one, job, arrived) {
  const words = KINDS[job.kind] ?? KINDS.deliver;
  if (isCancelled(job)) {
    return h("section", { class: "work stack tight", "aria-label": `${words.name} ${job.number}` },
      h("p", { class: "row apart" }, h("strong", {}, `${words.name} ${job.number}`), h("span", { class: "pill" }, ended(job))));
  }
  const onTheDoor = (how) => `#/close/${job.job_id}/${how}`;
  return h("section", { class: "work stack tight", "aria-label": `${words.name} ${job.number}` },
    h("p", { class: "row apart" }, h("strong", {}, `${words.name} ${job.number}`), job.attempt > 1 && h("span", { class: "pill warn" }, `attempt ${job.attempt}`), job.state === "closed" && h("span", { class: "pill" }, ended(job))),
    h("p", { class: "muted" }, [job.kind !== "serve" && count(job.parcels, "parcel"), job.payment_due && `collect ${job.payment_due}`].filter(Boolean).join(" · ")),
    job.lines.length > 0 && h("ul", { class: "lines" }, job.lines.map((line) => h("li", {}, `${line.quantity} × ${line.title}`))),
    job.note && h("p", { class: "notice note" }, job.note),
    job.wish && wished(job.wish),
    job.question && h("p", { class: "notice info", "data-asked": "" }, h("strong", {}, "Somebody wants to change this order. "), `${job.question}. The dispatcher decides; until then do it as it stands here.`),
    job.state !== "closed" && job.contacts.map((person) => calls(person)),
    job.state !== "closed" && route.began_at && h("div", { class: "two" },
      link(words.done, onTheDoor("done"), `big ${arrived ? "" : "secondary"}`),
      link(words.not, onTheDoor("failed"), "big danger"),
      link("Not today…", onTheDoor("skipped"), "quiet")));
}

// What the customer said on the page: it comes with the route, so it is here without signal.
function wished({ note, access_code, leave }) {
  return h("div", { class: "notice info", "data-wish": "" },
    note && h("p", { class: "note" }, h("strong", {}, "Customer: "), h("bdi", {}, note)),
    access_code && h("p", {}, h("strong", {}, "Door code: "), h("bdi", { class: "strong large" }, access_code)),
    leave && h("p", {}, h("strong", {}, "If nobody is home: "), h("bdi", {}, leave)));
}

function calls(person) {
  const number = person.phone.replace(/[^+\d]/g, "");
  const who = person.name || ROLES[person.role] || "Contact";
  return h("div", { class: "two" },
    h("a", { class: "button secondary big", href: `tel:${number}` }, `Call ${who}`),
    h("a", { class: "button secondary big", href: `sms:${number}`, "aria-label": `Text ${who}` }, "Text"));
}
