// Stops dragged by mouse or pen to another driver's lane, or along their own. Fingers scroll; they tap instead.

const FAR_PX = 6; // less is a click with an unsteady hand

/** ``dropped(stop, lane, at)``: ``at`` is its new number in its own lane, 0 in another. */
export function draggable(board, { began, ended, dropped }) {
  let drag = null;

  board.addEventListener("dragstart", (event) => event.preventDefault());
  board.addEventListener("pointerdown", (event) => {
    const stop = event.target.closest("[data-stop]");
    if (!stop || event.button || event.pointerType === "touch") return;
    drag = { stop, x: event.clientX, y: event.clientY, ghost: null, lane: null };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR_PX) return;
      lift();
    }
    drag.ghost.style.transform = `translate(${event.clientX + 8}px, ${event.clientY - 12}px)`;
    over(document.elementFromPoint(event.clientX, event.clientY)?.closest(".lane"));
  });
  addEventListener("pointerup", (event) => {
    if (drag?.ghost) swallowClick();
    const { stop, lane, ghost } = drag ?? {};
    letGo();
    if (!ghost || !lane) return;
    const isOwn = lane === stop.closest(".lane");
    const at = isOwn ? numberAt(stop, lane, event) : 0;
    if (!isOwn || at) dropped(stop, lane, at);
  });
  addEventListener("pointercancel", letGo);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drag?.ghost) return;
    swallowClick();
    letGo();
  });

  function lift() {
    began();
    drag.ghost = drag.stop.cloneNode(true);
    for (const name of ["id", "href", "data-l", "data-stop"]) drag.ghost.removeAttribute(name);
    drag.ghost.style.left = drag.ghost.style.width = "";
    drag.ghost.classList.add("ghost", ...[...drag.stop.closest(".lane").classList].filter((one) => one.startsWith("route-")));
    drag.ghost.setAttribute("aria-hidden", "true");
    board.append(drag.ghost);
    drag.stop.classList.add("lifted");
    drag.stop.closest(".lane").classList.add("own");
  }

  function over(lane) {
    drag.lane?.classList.remove("over");
    drag.lane = lane ?? null;
    drag.lane?.classList.add("over");
  }

  function letGo() {
    if (!drag) return;
    const was = drag;
    drag = null;
    was.lane?.classList.remove("over");
    if (!was.ghost) return;
    was.ghost.remove();
    was.stop.classList.remove("lifted");
    was.stop.closest(".lane")?.classList.remove("own");
    ended();
  }
}

/** Which number it would have where it was dropped; 0: the one it has. */
function numberAt(stop, lane, { clientX, clientY }) {
  const bars = [...lane.querySelectorAll(".stop-bar")];
  const isList = getComputedStyle(stop).position === "static"; // on a narrow screen
  const before = bars.filter((bar) => {
    const at = bar.getBoundingClientRect();
    return bar !== stop && (isList ? at.top + at.height / 2 < clientY : at.left + at.width / 2 < clientX);
  });
  return before.length === bars.indexOf(stop) ? 0 : before.length + 1;
}

/** The click that ends a drag on its own stop asks for nothing. */
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 300);
}
