// Every line of the order, ticked when it is there, with how many of it.

import { button, h } from "./dom.js";

export function goods(title, job, draft, changed) {
  return h("fieldset", { class: "card goods" }, h("legend", {}, title), job.lines.map((line) => one(line, draft, changed)));
}

function one(line, draft, changed) {
  const number = h("output", { class: "count", "aria-live": "polite" });
  const tick = h("input", { type: "checkbox", onchange: (event) => put(event.target.checked ? line.quantity : undefined) });
  const put = (quantity) => {
    if (quantity === undefined) delete draft.lines[line.n];
    else draft.lines[line.n] = Math.min(Math.max(quantity, 0), line.quantity);
    paint();
    changed();
  };
  const step = (by) => put((draft.lines[line.n] ?? line.quantity) + by);
  const paint = () => {
    tick.checked = line.n in draft.lines;
    number.textContent = `${draft.lines[line.n] ?? line.quantity} of ${line.quantity}`;
  };
  const stepper = (sign, by, what) => {
    const made = button(sign, () => step(by), "secondary step");
    made.setAttribute("aria-label", `${what}: ${line.title}`);
    return made;
  };
  paint();
  return h("div", { class: "good" },
    h("label", { class: "choice" }, tick, h("span", { class: "break" }, line.title)),
    h("div", { class: "row" }, stepper("−", -1, "One less"), number, stepper("+", 1, "One more")));
}
