// The server's map made live: drivers glide on it, wheel and buttons look closer.

const TILE = 256;
const [FARTHEST, CLOSEST] = [2, 16.5]; // what the server draws
const STALE_MS = 300_000; // as the board's own list judges
const DRAW_AFTER_MS = 250;
const SVG = "http://www.w3.org/2000/svg";

/** ``null`` without a map on the page. */
export function liveMap(box, day) {
  if (!box) return null;
  let known = new Map(); // driver id to where, name and colour
  let view = null; // null: all of it, as the page came
  let timer = 0;
  let ahead = 0; // of the hub's clock before this one's, ms

  const shown = () => [...box.querySelectorAll("svg")].find((svg) => getComputedStyle(svg).display !== "none");
  const viewOf = (svg) => {
    const { width, height } = svg.viewBox.baseVal;
    return { zoom: +svg.dataset.zoom, left: +svg.dataset.left, top: +svg.dataset.top, w: width, h: height };
  };

  function place(svg, { lat, lon }) {
    const world = TILE * 2 ** +svg.dataset.zoom;
    const s = Math.sin((Math.max(-85.05, Math.min(85.05, lat)) * Math.PI) / 180);
    const x = ((lon + 180) / 360) * world - svg.dataset.left;
    const y = (0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)) * world - svg.dataset.top;
    return `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  }

  function draw() {
    for (const svg of box.querySelectorAll("svg")) {
      for (const mark of svg.querySelectorAll("[data-driver]")) {
        if (!known.get(mark.dataset.driver)?.where) mark.remove();
      }
      for (const [id, one] of known) {
        if (!one.where) continue;
        const mark = svg.querySelector(`[data-driver="${CSS.escape(id)}"]`) ?? made(svg, id, one);
        mark.classList.toggle("stale", Date.now() + ahead - one.where.at > STALE_MS);
        glide(mark, place(svg, one.where));
      }
    }
  }

  /** An attribute does not glide, a style does: the attribute says where, the style follows. */
  function glide(mark, to) {
    mark.setAttribute("transform", to);
    mark.style.transform = to.replace(/\(([-\d.]+) ([-\d.]+)\)/, "($1px, $2px)");
  }

  function made(svg, id, one) {
    const mark = document.createElementNS(SVG, "g");
    mark.setAttribute("class", `driver route-${((one.n - 1) % 10) + 1}`);
    mark.dataset.driver = id;
    const title = document.createElementNS(SVG, "title");
    title.textContent = one.name;
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("r", "15");
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("y", "4.5");
    text.textContent = one.name.split(/\s+/).slice(0, 2).map((word) => word[0]).join("").toUpperCase();
    mark.append(title, circle, text);
    svg.append(mark);
    return mark;
  }

  async function redraw() {
    const asked = view ? `&${new URLSearchParams(view)}` : "";
    const answer = await fetch(`/board/map?${day}${asked}`, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(...fresh.querySelectorAll("svg"));
    draw();
  }

  /** Change what is looked at: at once by stretching what is there, then drawn anew. */
  function look(next) {
    const svg = shown();
    if (!svg) return;
    const was = viewOf(svg);
    view = next;
    const scale = 2 ** (was.zoom - next.zoom);
    const [x, y] = [next.left * scale - was.left, next.top * scale - was.top];
    svg.setAttribute("viewBox", `${x} ${y} ${next.w * scale} ${next.h * scale}`);
    clearTimeout(timer);
    timer = setTimeout(() => redraw().catch(() => {}), DRAW_AFTER_MS);
  }

  const now = () => view ?? viewOf(shown());

  function zoomed(by, px = 0.5, py = 0.5) {
    const old = now();
    const zoom = Math.max(FARTHEST, Math.min(CLOSEST, Math.round((old.zoom + by) * 4) / 4));
    const scale = 2 ** (zoom - old.zoom);
    const left = (old.left + old.w * px) * scale - old.w * px;
    const top = (old.top + old.h * py) * scale - old.h * py;
    look({ ...old, zoom, left, top });
  }

  let wheeled = 0;
  box.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !box.matches(":focus-within, .dragged")) return; // the page scrolls until one works with the map
      event.preventDefault();
      wheeled += event.deltaY;
      if (Math.abs(wheeled) < 40) return;
      const at = box.getBoundingClientRect();
      zoomed(wheeled < 0 ? 0.5 : -0.5, (event.clientX - at.left) / at.width, (event.clientY - at.top) / at.height);
      wheeled = 0;
    },
    { passive: false },
  );
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] }[event.key];
    if (step) look({ ...now(), left: now().left + step[0], top: now().top + step[1] });
    else if (event.key === "+" || event.key === "=") zoomed(1);
    else if (event.key === "-") zoomed(-1);
    else return;
    event.preventDefault();
  });
  let from = null;
  box.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;
    from = { x: event.clientX, y: event.clientY, view: now(), scale: now().w / box.clientWidth };
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    if (!from) return;
    box.classList.add("dragged");
    const [x, y] = [event.clientX - from.x, event.clientY - from.y].map((px) => px * from.scale);
    look({ ...from.view, left: from.view.left - x, top: from.view.top - y });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    box.addEventListener(end, () => {
      from = null;
      box.classList.remove("dragged");
    });
  }
  const buttons = document.querySelector("[data-zoom-buttons]");
  if (buttons) {
    buttons.hidden = false;
    buttons.addEventListener("click", (event) => {
      const by = event.target.closest("[data-zoom-by]")?.dataset.zoomBy;
      if (by === undefined) return;
      if (by !== "0") return zoomed(Number(by));
      view = null;
      redraw().catch(() => {});
    });
  }

  return {
    redraw,
    /** All drivers, as the server knows them at its moment ``time``. */
    show(drivers, time) {
      ahead = time - Date.now();
      known = new Map(
        drivers
          .filter((one) => one.on_duty)
          .map((one) => [one.driver_id, { ...one, where: newest(one.where, known.get(one.driver_id)?.where) }]),
      );
      draw();
    },
    /** Some that moved; those the board does not know (off shift, another day) are not shown. */
    move(drivers) {
      for (const fix of drivers) {
        const one = known.get(fix.driver_id);
        if (one) one.where = newest(fix, one.where);
      }
      draw();
    },
  };
}

function newest(a, b) {
  return !a || (b && b.at > a.at) ? (b ?? null) : a;
}
