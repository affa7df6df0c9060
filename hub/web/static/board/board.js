// What the board does beyond its page: fresh by itself, questions asked in place, stops dragged.
import { ask } from "./asking.js";
import { draggable } from "./dragging.js";
import { goBack, placed, walk, whereabouts } from "./lanes.js";
import { liveMap } from "./map.js";
import { listen } from "./stream.js";

const board = document.getElementById("board");
const day = `day=${board.dataset.day}`;
const map = liveMap(document.querySelector("[data-map]"), day);
let tag = "";
let looking = null; // one look at a time
let again = false;
let dragging = false;

/** Ask for the day's data; draw anew only what changed. Says whether the server answered. */
async function look() {
  if (looking) {
    again = true;
    return looking;
  }
  looking = lookOnce().finally(() => (looking = null));
  const reached = await looking;
  if (again) {
    again = false;
    return look();
  }
  return reached;
}

async function lookOnce() {
  try {
    const answer = await fetch(`/board/data?${day}`, {
      cache: "no-store",
      headers: { "X-Requested-With": "fetch", ...(tag && { "If-None-Match": tag }) },
    });
    if (answer.status === 401) return loggedOut();
    if (answer.status === 304) return true;
    if (!answer.ok) return false;
    const data = await answer.json();
    map?.show(data.drivers, data.now);
    if (data.version !== board.dataset.version) {
      if (dragging || !(await redraw())) return true;
    }
    tag = answer.headers.get("ETag") ?? "";
    return true;
  } catch {
    return false; // no network for a moment: the page stays as it is, and says so
  }
}

async function redraw() {
  const answer = await fetch(`/board/?${day}`, {
    cache: "no-store",
    headers: { "X-Requested-With": "fetch" },
  });
  if (!answer.ok || dragging) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = whereabouts(document.activeElement);
  const open = [...board.querySelectorAll("details[data-keep][open]")].map((one) => one.dataset.keep);
  const scrolled = board.querySelector("[data-scroll]")?.scrollLeft ?? 0;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    placed(part);
    board.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(part);
  }
  for (const name of open) board.querySelector(`details[data-keep="${name}"]`)?.setAttribute("open", "");
  const times = board.querySelector("[data-scroll]");
  if (times) times.scrollLeft = scrolled;
  if (document.activeElement === document.body) goBack(board, focused);
  board.dataset.version = fresh.getElementById("board").dataset.version;
  await map?.redraw();
  return true;
}

function loggedOut() {
  const said = document.querySelector("[data-broken]");
  said.innerHTML = 'You are logged out. <a href="/panel/log-in">Log in again</a>';
  said.hidden = false;
  return true;
}

function done(said) {
  const toast = document.querySelector("[data-toast]");
  toast.textContent = said;
  toast.hidden = false;
  clearTimeout(done.timer);
  done.timer = setTimeout(() => (toast.hidden = true), 6000);
  look();
}

function question(url, from, body) {
  const where = whereabouts(from);
  ask(url, { back: () => goBack(board, where), done, body });
}

placed(board);
document.addEventListener("click", (event) => {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target.closest("a");
  if (!link || !board.contains(link)) return;
  if (link.matches("[data-ask]")) {
    event.preventDefault();
    question(link.href, link);
  } else if (link.dataset.show) {
    event.preventDefault();
    point(document.getElementById(`stop-${link.dataset.show}`));
  } else if (link.dataset.showLane) {
    event.preventDefault();
    point(document.getElementById(`lane-${link.dataset.showLane}`));
  }
});

board.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-asks]")) return;
  event.preventDefault();
  event.stopPropagation(); // panel.js would count it as sent
  question(form.action, event.submitter ?? form, new URLSearchParams(new FormData(form)));
});

/** Bring something into view, and the keyboard to it. */
function point(what) {
  if (!what) return;
  for (const one of board.querySelectorAll(".shown")) one.classList.remove("shown");
  what.classList.add("shown");
  what.scrollIntoView({ block: "center", inline: "center" });
  what.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => walk(event, board));
draggable(board, {
  began: () => (dragging = true),
  ended: () => {
    dragging = false;
    look();
  },
  dropped: (stop, lane, at) => {
    const to = `to=${lane.dataset.route}${at ? `&at=${at}` : ""}`;
    question(`/board/stops/${stop.dataset.stop}/move?${day}&${to}`, stop);
  },
});
listen({ look, moved: (drivers) => map?.move(drivers), isToday: board.dataset.isToday === "1" });
