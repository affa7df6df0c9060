// Small pieces every screen is made of. Text only ever becomes text, never markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined && child !== ""));
  return element;
}

// The screen is busy until what a tap began is kept on this phone.
export const button = (text, does, look = "") => h("button", { type: "button", class: `button ${look}`, onclick: (event) => busy(does, event) }, text);

let under_way = 0;
async function busy(does, event) {
  const screen = document.getElementById("screen");
  under_way += 1;
  screen.setAttribute("aria-busy", "true");
  try {
    await does(event);
  } finally {
    under_way -= 1;
    if (!under_way) screen.removeAttribute("aria-busy");
  }
}

export const link = (text, href, look = "") => h("a", { class: `button ${look}`, href }, text);

let hiding;
export function toast(text) {
  const place = document.getElementById("toast");
  place.style.setProperty("--bar", `${barBelow()}px`);
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => place.classList.remove("shown"), 5000);
}

// How far up the bar at the foot of the screen reaches; 0 where a message fits below it.
function barBelow() {
  const bar = document.querySelector(".finish")?.getBoundingClientRect();
  return !bar || innerHeight - bar.bottom > 96 ? 0 : Math.max(0, innerHeight - bar.top);
}

// As the panel and the customer's page write it, whatever the phone is set to.
export function clock(moment, zone) {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(new Date(moment));
}

export function ago(moment) {
  const minutes = Math.max(0, Math.round((Date.now() - new Date(moment)) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
}

export const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
