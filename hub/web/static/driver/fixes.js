// Where the phone was, kept in a box of its own until the hub has it for good.
//
// Only what was noted on shift is in here. The phone numbers its fixes itself, each higher
// than any before, also after a restart: what is sent twice is stored once. They go after the
// acts, for the hub keeps none of a time for which no shift was begun.

import { hubTime } from "./clock.js";

const NAME = "hub-driver-fixes";
const MOST_AT_ONCE = 500; // the hub takes no more in one batch
const MOST_KEPT = 20_000; // two days of driving; the oldest go first
const EVERY_MS = 5000; // closer together says nothing new of a van in a town
const WAIT_MS = 20_000;
let opening = null;
let last_at = 0;
let battery = null;
const state = { sent_at: 0, waiting: 0, why: "", reached: true };

navigator.getBattery?.().then((found) => (battery = found)).catch(() => {});

function open() {
  opening ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("fixes", { keyPath: "seq" });
      asked.result.createObjectStore("last");
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = asked.result.onclose = () => {
        asked.result.close();
        opening = null;
      };
      resolve(asked.result);
    };
    asked.onerror = () => {
      opening = null;
      reject(asked.error);
    };
  });
  return opening;
}

async function within(mode, work) {
  const all = (await open()).transaction(["fixes", "last"], mode);
  return new Promise((resolve, reject) => {
    let asked;
    all.oncomplete = () => resolve(asked?.result);
    all.onabort = all.onerror = () => reject(all.error ?? new Error("This phone's storage is full."));
    asked = work(all.objectStore("fixes"), all.objectStore("last"));
  });
}

// Keep where the phone is, if it was not noted a moment ago.
export async function note({ coords, timestamp }) {
  if (timestamp - last_at < EVERY_MS && timestamp >= last_at) return false;
  last_at = timestamp;
  const { latitude: lat, longitude: lon, accuracy: acc, speed, heading } = coords;
  const fix = { t: hubTime(timestamp), lat, lon, acc };
  if (speed !== null && speed >= 0) fix.spd = speed;
  if (heading !== null && heading >= 0 && heading <= 360) fix.hdg = heading;
  if (battery) fix.bat = Math.round(battery.level * 100);
  await within("readwrite", (fixes, last) => {
    const before = last.get("seq");
    before.onsuccess = () => {
      fix.seq = Math.max((before.result ?? 0) + 1, Date.now());
      last.put(fix.seq, "seq");
      fixes.put(fix);
    };
  });
  state.waiting += 1;
  return true;
}

// Send what waits, oldest first; `token` is the phone's. Several pages take turns.
export function flush(token) {
  const one = () => send(token).catch(() => (state.reached = false));
  return navigator.locks ? navigator.locks.request("hub-driver-fixes", one) : one();
}

async function send(token) {
  for (let size = MOST_AT_ONCE; token; ) {
    const fixes = await within("readonly", (all) => all.getAll(null, size));
    state.waiting = await within("readonly", (all) => all.count());
    if (!fixes.length) return;
    const answer = await fetch("/live/fixes", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ fixes }),
      signal: AbortSignal.timeout(WAIT_MS),
    });
    state.reached = answer.ok || answer.status < 500;
    if (answer.ok) {
      const { seq, kept, why } = await answer.json();
      state.why = why;
      if (kept) state.sent_at = Date.now();
      await forget(seq);
      size = MOST_AT_ONCE;
    } else if (![400, 413, 422].includes(answer.status)) {
      return await trim(); // no hub, no signal or no longer paired: it waits
    } else if (fixes.length > 1) {
      size = Math.ceil(fixes.length / 2); // one that nobody can read must not hold up the others
    } else {
      await forget(fixes[0].seq);
    }
  }
}

const forget = (seq) => within("readwrite", (all) => all.delete(IDBKeyRange.upperBound(seq)));

async function trim() {
  if (state.waiting <= MOST_KEPT) return;
  const old = await within("readonly", (all) => all.getAllKeys(null, state.waiting - MOST_KEPT));
  await forget(old.at(-1));
}

// Whether the hub knows where this phone is, in words for its driver.
export function sharing(trouble) {
  if (trouble) return { look: "warn", text: "Position not shared." }; // why stands above the list
  if (state.why) return { look: "warn", text: `Position not shared: ${state.why}` };
  if (!state.reached && state.waiting) return { look: "warn", text: `No connection. ${state.waiting} positions wait on this phone.` };
  if (!state.sent_at) return { look: "", text: "Looking for this phone's position…" };
  return { look: "ok", text: "Position shared until the shift ends." };
}
