// The shift ends before its last stop is done: asked once, then told.

import { endShift } from "./acts.js";
import { go, told } from "./app.js";
import { isDone, isDriven } from "./day.js";
import { button, count, h, link } from "./dom.js";

export const end = {
  async parts(now, id) {
    const route = now.routes.find((one) => one.route_id === id);
    if (!route || !isDriven(route)) return [h("h1", {}, "End shift"), h("p", { class: "card" }, "This shift is not under way.")];
    const open = route.stops.filter((stop) => !isDone(stop)).length;
    const ends = async () => {
      await endShift(route);
      await told();
      go("#/");
    };
    return [
      h("h1", {}, "End the shift now?"),
      h("div", { class: "card stack" },
        open > 0 && h("p", { class: "large" }, `${count(open, "stop")} ${open === 1 ? "stays" : "stay"} open.`),
        h("p", {}, "The dispatcher is told, on the board, that your shift has ended, and decides who goes on. It cannot be begun again."),
        h("p", { class: "muted" }, "From here on this phone no longer notes where it is."),
        button("End shift now", ends, "big danger"),
        link("Go on driving", "#/", "big secondary")),
    ];
  },
};
