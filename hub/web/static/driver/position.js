// Where the phone is: a fresh fix, else the last one with its age, else why there is none.

import { note } from "./fixes.js";

const FRESH_MS = 60_000; // younger than a minute is still this door
const WAIT_MS = 3000;
const LOST_MS = 300_000; // a tunnel or a stairwell is no news
let last = null;
let problem = "";
const STILL_MS = 30_000; // a phone that lies still may tell nothing by itself
let watching = null;
let asking = null;
let since = 0;
let heard = () => {};

const PROBLEMS = { 1: "This phone does not share its location.", 2: "No GPS signal.", 3: "No GPS signal in time." };
const canTell = () => window.isSecureContext && Boolean(navigator.geolocation);

// From the start of the shift to its end, and never outside it. `told` is called when a
// place was noted.
export function follow(isOn, told) {
  if (!navigator.geolocation || isOn === (watching !== null)) return;
  if (isOn) {
    heard = told;
    since = Date.now();
    watching = navigator.geolocation.watchPosition(moved, lost, { enableHighAccuracy: true, maximumAge: 10_000 });
    asking = setInterval(still, STILL_MS);
  } else {
    navigator.geolocation.clearWatch(watching);
    clearInterval(asking);
    watching = null;
    problem = "";
  }
}

function still() {
  if (last && Date.now() - last.timestamp < STILL_MS) return;
  navigator.geolocation.getCurrentPosition(moved, lost, { enableHighAccuracy: true, timeout: STILL_MS, maximumAge: 0 });
}

async function moved(fix) {
  got(fix);
  if (watching === null || fix.timestamp < since) return; // the shift ended meanwhile, or had not begun
  if (await note(fix).catch(() => false)) heard();
}

export const trouble = () => (window.isSecureContext && (!last || Date.now() - last.timestamp > LOST_MS) ? problem : "");

// Whether waiting a moment would bring nothing better than `known()`.
export const isSettled = () => !canTell() || (last !== null && Date.now() - last.timestamp <= FRESH_MS);

// What can be said of the place this very moment, for something that happened `at`.
export function known(at = Date.now()) {
  if (!canTell()) return { no_position: "This address has no HTTPS, so the phone gives no location." };
  if (!last) return { no_position: problem || PROBLEMS[3] };
  const { latitude: lat, longitude: lon, accuracy } = last.coords;
  const age = Math.max(0, Math.round((at - last.timestamp) / 1000));
  return { lat, lon, accuracy_m: Math.round(accuracy), position_age_s: age };
}

// Waits at most WAIT_MS for a fix that is fresh.
export async function settle() {
  if (isSettled()) return;
  await new Promise((done) => {
    const settled = (work) => (what) => { work(what); done(); };
    navigator.geolocation.getCurrentPosition(settled(got), settled(lost), { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: FRESH_MS });
    setTimeout(done, WAIT_MS); // some phones never answer while the question is on screen
  });
}

function got(fix) {
  last = fix;
  problem = "";
  dispatchEvent(new Event("placed"));
}

function lost(error) {
  problem = PROBLEMS[error.code] ?? error.message;
}
