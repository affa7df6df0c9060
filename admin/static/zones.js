// An area drawn by clicking its corners; the text field below the map holds it, one corner a line.
const SVG = "http://www.w3.org/2000/svg";
const NEAR = 10; // pixels of the drawing: a click so near a corner means that one
const frame = document.querySelector("[data-zone]");

if (frame) {
  const field = document.getElementById(frame.dataset.zone);
  const said = document.querySelector("[data-zone-said]");
  for (const one of document.querySelectorAll("[data-needs-script]")) one.hidden = false;
  const maps = [...frame.querySelectorAll("svg")].map(placed);

  frame.addEventListener("click", (event) => {
    const map = maps.find(({ svg }) => svg.contains(event.target));
    if (!map) return;
    const shapes = read(field.value);
    if (!isDrawn(shapes)) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.svg.getScreenCTM().inverse());
    const corners = shapes[0]?.[0] ?? [];
    const hit = corners.findIndex((corner) => Math.hypot(...map.pixel(corner).map((p, n) => p - [at.x, at.y][n])) < NEAR);
    write(hit >= 0 ? corners.filter((_, n) => n !== hit) : [...corners, map.degrees(at.x, at.y)]);
  });
  document.querySelector("[data-undo]").addEventListener("click", () => {
    const shapes = read(field.value);
    if (isDrawn(shapes)) write((shapes[0]?.[0] ?? []).slice(0, -1));
  });
  document.querySelector("[data-clear]").addEventListener("click", () => write([]));
  field.addEventListener("input", show);
  show();

  function write(corners) {
    field.value = corners.map(([lat, lon]) => `${lat.toFixed(6)}, ${lon.toFixed(6)}`).join("\n");
    show();
  }

  function show() {
    const shapes = read(field.value);
    for (const map of maps) draw(map, shapes ?? []);
    if (shapes === null) said.textContent = "The corners below are not understood, so nothing is drawn.";
    else if (!isDrawn(shapes)) said.textContent = "This area came as GeoJSON. Press “Draw anew” to click one instead.";
    else {
      const n = shapes[0]?.[0].length ?? 0;
      said.textContent = n === 0 ? "Nothing is drawn yet." : n < 3 ? `${n} corner${n === 1 ? "" : "s"}; an area has at least three.` : `${n} corners.`;
    }
  }
}

/** One ring that was clicked or typed: what more clicks can go on with. */
function isDrawn(shapes) {
  return shapes !== null && (shapes.length === 0 || (shapes.length === 1 && shapes[0].length === 1));
}

/** Shapes of rings of [lat, lon]; null where the text is not understood. */
function read(text) {
  if (!text.trim()) return [];
  if (text.trim().startsWith("{")) {
    try {
      return polygons(JSON.parse(text)).map((shape) => shape.map((ring) => ring.map(([lon, lat]) => [Number(lat), Number(lon)])));
    } catch {
      return null;
    }
  }
  const ring = text.trim().split(/\n+/).map((line) => line.trim().split(/[\s,;]+/).map(Number));
  return ring.every((at) => at.length === 2 && at.every(Number.isFinite)) ? [[ring]] : null;
}

function polygons(given) {
  switch (given.type) {
    case "FeatureCollection": return given.features.flatMap(polygons);
    case "Feature": return given.geometry ? polygons(given.geometry) : [];
    case "GeometryCollection": return given.geometries.flatMap(polygons);
    case "Polygon": return [given.coordinates];
    case "MultiPolygon": return given.coordinates;
    default: return [];
  }
}

/** A drawing with the arithmetic of where things lie on it (Web Mercator, 256-pixel world). */
function placed(svg) {
  const world = 256 * 2 ** Number(svg.dataset.zoom);
  const [left, top] = [Number(svg.dataset.left), Number(svg.dataset.top)];
  const shape = svg.appendChild(document.createElementNS(SVG, "path"));
  shape.setAttribute("class", "zone");
  const dots = svg.appendChild(document.createElementNS(SVG, "g"));
  return {
    svg, shape, dots,
    degrees(x, y) {
      const n = Math.PI * (1 - (2 * (top + y)) / world);
      return [(Math.atan(Math.sinh(n)) * 180) / Math.PI, ((left + x) / world) * 360 - 180];
    },
    pixel([lat, lon]) {
      const s = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
      return [((lon + 180) / 360) * world - left, (0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)) * world - top];
    },
  };
}

function draw(map, shapes) {
  const rings = shapes.flat().map((ring) => ring.map((corner) => map.pixel(corner).map((p) => p.toFixed(1))));
  map.shape.setAttribute("d", rings.map((ring) => `M${ring.map((at) => at.join(" ")).join("L")}Z`).join(""));
  const few = isDrawn(shapes) ? (rings[0] ?? []) : [];
  map.dots.replaceChildren(...few.map(([x, y], n) => {
    const dot = document.createElementNS(SVG, "circle");
    for (const [name, value] of Object.entries({ class: n === few.length - 1 ? "corner last" : "corner", cx: x, cy: y, r: 6 })) dot.setAttribute(name, value);
    return dot;
  }));
}
