// Bars where they belong on the time axis, and the arrow keys between them.

const LEVEL_REM = 2.1; // a bar and the gap below it

/** Styles cannot come with what is fetched (the page's policy), so numbers become places here. */
export function placed(part) {
  for (const one of part.querySelectorAll("[data-x]")) one.style.left = `${one.dataset.x}%`;
  for (const one of part.querySelectorAll("[data-w]")) one.style.width = `${one.dataset.w}%`;
  for (const one of part.querySelectorAll("[data-l]")) one.style.top = `${0.45 + LEVEL_REM * one.dataset.l}rem`;
  for (const one of part.querySelectorAll("[data-levels]")) one.style.minHeight = `${0.8 + LEVEL_REM * one.dataset.levels}rem`;
}

/** Where the keyboard is, in terms that outlive a redraw and a move: its id, its jobs, its lane. */
export function whereabouts(link) {
  const route = link?.closest(".lane")?.dataset.route;
  return { id: link?.id, jobs: (link?.dataset.jobs ?? link?.dataset.job)?.split(" "), lane: route && `lane-${route}` };
}

/** The keyboard to where it was; to the stop that its jobs are at now; or to the lane. */
export function goBack(board, { id, jobs, lane }) {
  const same = id && document.getElementById(id);
  if (same) return same.focus({ preventScroll: true });
  const at = (bar) => bar.dataset.jobs.split(" ").some((job) => jobs.includes(job));
  const moved = jobs && [...board.querySelectorAll(".stop-bar")].find(at);
  (moved ?? document.getElementById(lane))?.focus();
}

/** Left and right: along a lane; up and down: to the nearest in time of the next lane. */
export function walk(event, board) {
  const here = event.target.closest?.(".stop-bar");
  if (!here || event.altKey || event.ctrlKey || event.metaKey) return;
  const lanes = [...board.querySelectorAll(".lane")].filter((lane) => lane.querySelector(".stop-bar"));
  const lane = lanes.indexOf(here.closest(".lane"));
  const bars = shownIn(lanes[lane]);
  const n = bars.indexOf(here);
  let next = null;
  if (event.key === "ArrowRight") next = bars[n + 1];
  else if (event.key === "ArrowLeft") next = bars[n - 1];
  else if (event.key === "ArrowDown") next = nearest(lanes[lane + 1], here);
  else if (event.key === "ArrowUp") next = nearest(lanes[lane - 1], here);
  else if (event.key === "m" || event.key === "M") here.click();
  else return;
  event.preventDefault();
  next?.focus();
}

function nearest(lane, here) {
  const at = Number(here.dataset.x);
  const off = (bar) => Math.abs(Number(bar.dataset.x) - at);
  return shownIn(lane).sort((a, b) => off(a) - off(b))[0];
}

/** On a narrow screen those that are over are folded away. */
function shownIn(lane) {
  return [...(lane?.querySelectorAll(".stop-bar") ?? [])].filter((bar) => bar.getClientRects().length);
}
