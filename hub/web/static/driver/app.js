// Which screen is shown, and when this phone talks to the hub.

import "./outbox.js";
import { place } from "./acts.js";
import { isDriven, look, refresh } from "./day.js";
import { count, h, toast } from "./dom.js";
import { flush as flushFixes } from "./fixes.js";
import { follow, trouble } from "./position.js";
import { list, share } from "./list.js";
import { stop } from "./stop.js";
import { close } from "./close.js";
import { end } from "./end.js";
import { unsent } from "./unsent.js";
import { pairing } from "./pairing.js";

const EVERY_MS = 15_000;
const TAP_MS = 50; // the click comes after the finger has gone
const screens = { "": list, stop, close, end, outbox: unsent, pair: pairing };
const main = document.getElementById("screen");
let shown = null;
let talking = null;
let once_more = false;
let turn = Promise.resolve(); // who draws looks first: nobody who looked earlier draws later
let held = false; // a finger is on the screen, and what it points at must not move
let put_off = false;

// Send what waits, fetch the route, and show what came of it.
export function sync() {
  once_more = talking !== null;
  talking ??= talk().finally(() => {
    talking = null;
    if (once_more) sync();
  });
  return talking;
}

async function talk() {
  await box.flush();
  await sendFixes();
  await refresh();
  await paint();
}

// Not before the hub knows that the shift began.
async function sendFixes() {
  const waiting = await box.waiting();
  if (!waiting.some((item) => item.act?.kind === "start_shift")) await flushFixes(await box.get("token"));
}

// After something was told: ask the worker to send it even if this page goes away.
export async function told() {
  await paint();
  sync();
  const worker = await navigator.serviceWorker?.getRegistration("/driver/");
  await worker?.sync?.register("outbox").catch(() => {});
}

export function go(where) {
  if (location.hash === where) show();
  else location.hash = where;
}

function inTurn(draws) {
  turn = turn.then(draws, draws);
  return turn;
}

const show = () => inTurn(async () => {
  const now = await look();
  const [, name = "", ...rest] = location.hash.split("/");
  const screen = now.token ? (screens[name] ?? list) : name === "outbox" ? unsent : pairing;
  shown = { screen, rest, hash: location.hash };
  await draw(now, true);
  window.scrollTo(0, 0);
  (main.querySelector("h1") ?? main).focus({ preventScroll: true });
});

// Only screens nobody is typing on are drawn anew by themselves.
const paint = () => inTurn(async () => {
  const now = await look();
  if (!shown || shown.screen.still) head(now);
  else await draw(now);
});

function touched() {
  held = true;
}

function let_go() {
  setTimeout(() => {
    held = false;
    if (put_off) paint();
    put_off = false;
  }, TAP_MS);
}

async function draw(now, come_what_may = false) {
  const { screen, rest } = shown;
  const parts = await screen.parts(now, ...rest);
  if (held && !come_what_may) {
    put_off = true;
    head(now); // nothing in it is under the finger
    return;
  }
  const top = window.scrollY;
  main.replaceChildren(...warnings(now), ...parts.flat(2).filter(Boolean));
  main.querySelector("h1")?.setAttribute("tabindex", "-1");
  window.scrollTo(0, top);
  head(now);
  share();
}

function head(now) {
  const waiting = now.items.filter((item) => !item.refused).length;
  const refused = now.items.length - waiting;
  const state = document.getElementById("state");
  const text = [now.online ? "Online" : "Offline", waiting && `${waiting} to send`, refused && `${refused} refused`];
  state.textContent = text.filter(Boolean).join(" · ");
  state.className = `pill state ${refused || now.revoked ? "bad" : now.online && !waiting ? "ok" : "warn"}`;
  const inside = shown !== null && shown.screen !== list && Boolean(now.token);
  const back = document.getElementById("back");
  back.hidden = !inside;
  back.href = shown?.screen.back?.(now, ...shown.rest) ?? "#/";
  const where = document.getElementById("where");
  where.hidden = inside;
  where.textContent = now.day ? now.day.business : "Driver";
  follow(now.routes.some(isDriven), () => sendFixes().then(share));
}

function warnings(now) {
  const found = [];
  if (!window.isSecureContext) {
    found.push(notice("bad", "This address has no HTTPS. The phone will refuse camera pictures and location, and nothing works without signal. Ask your business for the https:// address."));
  }
  if (now.revoked) {
    const text = now.items.length
      ? `This phone is no longer paired. ${count(now.items.length, "item")} not sent: pair again with a new code to send them, or save them to a file.`
      : "This phone is no longer paired. Ask the dispatcher for a new code.";
    found.push(h("div", { class: "notice bad stack tight" }, h("p", {}, text), h("a", { class: "button secondary", href: "#/pair" }, "Pair again")));
  }
  if (now.routes.some(isDriven) && trouble()) {
    const text = `${trouble()} Jobs are closed without a place until it is back; check the location setting of this browser.`;
    found.push(h("p", { class: "notice warn", id: "no-place" }, text));
  }
  return found;
}

const notice = (look_, text) => h("p", { class: `notice ${look_}` }, text);

async function begin() {
  addEventListener("hashchange", show);
  main.addEventListener("pointerdown", touched);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, let_go);
  addEventListener("online", sync);
  addEventListener("offline", paint);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sync());
  addEventListener("placed", () => document.getElementById("no-place")?.remove());
  box.changed.onmessage = paint;
  setInterval(sync, EVERY_MS);
  if (location.pathname.endsWith("/pair")) await pairing.arrive(location.hash.slice(1));
  await show();
  document.documentElement.dataset.ready = "yes";
  try {
    await navigator.serviceWorker?.register("/driver/sw.js", { scope: "/driver/" });
  } catch {
    toast("This browser cannot keep the page for times without signal.");
  }
  place().then(sync);
  await sync();
}

begin();
