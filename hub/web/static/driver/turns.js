// Turn by turn to a door, asked for when somebody wants to see it; kept while the page is open.

import { h } from "./dom.js";
import { known, settle } from "./position.js";

const WAIT_MS = 20_000;
const shown = new Map(); // stop id -> what was told of it
let open = ""; // the screen is drawn anew with every change; what was open stays so

export function turns(one) {
  const place = h("div", { class: "stack tight", role: "status", "data-turns": one.stop_id });
  if (open === one.stop_id) fill(place, shown.get(one.stop_id));
  return h("details", {
    class: "turns",
    open: open === one.stop_id,
    ontoggle: async (event) => {
      const wants = event.target.open;
      if (wants === (open === one.stop_id)) return;
      open = wants ? one.stop_id : "";
      if (!wants) return;
      tell(one.stop_id, { why: "Asking the hub…" });
      tell(one.stop_id, await ask(one.stop_id));
    },
  }, h("summary", {}, "Turn by turn"), place);
}

// To whatever stands on the screen by now.
function tell(stop_id, told) {
  shown.set(stop_id, told);
  for (const place of document.querySelectorAll("[data-turns]")) if (place.dataset.turns === stop_id) fill(place, told);
}

async function ask(stop_id) {
  await settle();
  const { lat = null, lon = null } = known();
  const language = navigator.language || "en";
  try {
    const answer = await fetch("/driver/api/directions", {
      method: "POST",
      headers: { Authorization: `Bearer ${await box.get("token")}`, "Content-Type": "application/json" },
      body: JSON.stringify({ stop_id, lat, lon, language }),
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const told = await answer.json();
    return answer.ok ? told : { why: told.detail ?? "The hub cannot tell the way just now. Use Navigate." };
  } catch {
    return { why: "There is no signal. Use Navigate, or close this and try again." };
  }
}

function fill(place, told) {
  if (!told) return;
  const { turns: steps = [], seconds = 0, metres = 0, why = "" } = told;
  if (why) return place.replaceChildren(h("p", { class: "muted" }, why));
  place.replaceChildren(
    h("p", { class: "muted" }, `${far(metres)}, about ${Math.max(1, Math.round(seconds / 60))} min. Drive by what you see on the road.`),
    h("ol", { class: "steps" }, steps.map((step) => h("li", { dir: "auto" }, h("span", {}, step.text), step.metres > 0 && h("span", { class: "muted nowrap" }, ` ${far(step.metres)}`)))));
}

const far = (metres) => (metres < 1000 ? `${Math.max(10, Math.round(metres / 10) * 10)} m` : `${(metres / 1000).toFixed(1)} km`);
