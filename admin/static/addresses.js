// A click on the map moves the pin: pixels of the drawing to degrees (Web Mercator, 256-pixel world).
const frame = document.querySelector("[data-pick]");

function degrees(map, x, y) {
  const world = 256 * 2 ** Number(map.dataset.zoom);
  const lon = ((Number(map.dataset.left) + x) / world) * 360 - 180;
  const n = Math.PI * (1 - (2 * (Number(map.dataset.top) + y)) / world);
  return [(Math.atan(Math.sinh(n)) * 180) / Math.PI, lon];
}

function fill(name, value) {
  for (const field of document.querySelectorAll(`#${name}, [data-${name}]`)) field.value = value.toFixed(6);
}

function mark(map, x, y) {
  let pin = map.querySelector("[data-pin=chosen]");
  if (!pin) {
    pin = document.createElementNS("http://www.w3.org/2000/svg", "path");
    pin.dataset.pin = "chosen";
    pin.setAttribute("d", "M0 0c-9-12-12-16-12-22a12 12 0 0 1 24 0c0 6-3 10-12 22z");
    map.append(pin);
  }
  pin.setAttribute("transform", `translate(${x} ${y})`);
}

frame?.addEventListener("click", (event) => {
  const map = event.target.closest("svg"); // the drawing for this width of screen
  if (!map) return;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const [lat, lon] = degrees(map, at.x, at.y);
  fill("lat", lat);
  fill("lon", lon);
  mark(map, at.x, at.y);
  document.querySelector("[data-pick-hint]").textContent =
    `The pin stands at ${lat.toFixed(5)}, ${lon.toFixed(5)}. Set it below, or look closer first.`;
});
