// News as they happen from /live/board; while that is down, a look every few seconds.

const LIVE_LOOK_MS = 20_000; // lateness and silence come with the clock, not with an event
const ALONE_LOOK_MS = 5_000;
const GAP_MS = 1_000; // between two looks, however much happens
const RETRY_MS = 10_000; // of a stream the server refused; a broken one comes back by itself

/** ``look`` asks the server how all stands, ``moved`` gets drivers that moved. */
export function listen({ look, moved, isToday }) {
  const said = document.querySelector("[data-live]");
  const broken = document.querySelector("[data-broken]");
  let stream = null;
  let isLive = false;
  let timer = 0;
  let reachedAt = Date.now();
  let lookedAt = 0;
  let soon = 0;

  function tell(reached) {
    if (reached) reachedAt = Date.now();
    const ago = Math.round((Date.now() - reachedAt) / 1000);
    said.hidden = !isToday;
    said.textContent = !reached ? "no answer" : isLive ? "live" : "every few seconds";
    said.className = `live pill ${!reached ? "bad" : isLive ? "ok" : "warn"}`;
    if (broken.querySelector("a")) return; // logged out
    broken.hidden = reached;
    if (!reached) {
      broken.textContent = `The hub has not answered for ${ago} s. This is how it stood then; it is asked again by itself.`;
    }
  }

  async function turn() {
    clearTimeout(timer);
    lookedAt = Date.now();
    const reached = document.hidden || (await look());
    if (!document.hidden) tell(reached);
    timer = setTimeout(turn, isLive && reached ? LIVE_LOOK_MS : ALONE_LOOK_MS);
  }

  function changed() {
    soon ||= setTimeout(
      () => {
        soon = 0;
        turn();
      },
      Math.max(0, GAP_MS - (Date.now() - lookedAt)),
    );
  }

  function open() {
    stream = new EventSource("/live/board");
    stream.addEventListener("open", () => {
      isLive = true;
      turn();
    });
    stream.addEventListener("pos", (event) => moved(JSON.parse(event.data)));
    stream.addEventListener("changed", changed);
    stream.addEventListener("error", () => {
      const was = isLive;
      isLive = false;
      if (stream?.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
      if (was) turn();
      else tell(broken.hidden);
    });
  }

  if (isToday) open();
  turn();
  addEventListener("visibilitychange", () => document.hidden || turn());
  addEventListener("pagehide", () => stream?.close()); // else the page is not kept for going back
  addEventListener("pageshow", (event) => event.persisted && isToday && open());
}
