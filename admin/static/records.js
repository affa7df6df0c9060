// Help of the set-up forms. Moving a pin by clicking on a drawn map: the drawing says its zoom and corner (Web Mercator).
for (const box of document.querySelectorAll("[data-moves]")) {
  const svg = box.querySelector("svg");
  const [lat, lon] = box.dataset.moves.split(" ").map((name) => document.getElementById(name));
  document.querySelector("[data-needs-script]").hidden = false;
  svg.addEventListener("click", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const world = 256 * 2 ** Number(svg.dataset.zoom);
    const x = (at.x + Number(svg.dataset.left)) / world;
    const y = (at.y + Number(svg.dataset.top)) / world;
    lon.value = (x * 360 - 180).toFixed(6);
    lat.value = ((Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI).toFixed(6);
    mark(svg, at);
  });
}

function mark(svg, at) {
  const old = svg.querySelector(".moved-pin");
  const dot = old ?? document.createElementNS("http://www.w3.org/2000/svg", "circle");
  const looks = { class: "moved-pin", r: 8, cx: at.x, cy: at.y, fill: "#a3211a", stroke: "#fff", "stroke-width": 2 };
  for (const [name, value] of Object.entries(looks)) dot.setAttribute(name, value);
  if (!old) svg.append(dot);
}

// Most people work the same hours from Monday to Friday.
for (const button of document.querySelectorAll("[data-week]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const days = [...button.closest("fieldset").querySelectorAll(".week-day")];
    const hours = (day) => [...day.querySelectorAll("input")];
    for (const day of days.slice(1, 5)) hours(day).forEach((input, n) => (input.value = hours(days[0])[n].value));
  });
}
