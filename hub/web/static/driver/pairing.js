// Make this phone the driver's: by a link or QR code (its code is behind the #), or typed.

import { go, sync } from "./app.js";
import { button, count, h } from "./dom.js";

let arrived = ""; // the code a link brought; kept here, for the address bar forgets it
let why = ""; // it did not work

export const pairing = {
  still: true,
  async parts(now) {
    const input = h("input", { id: "code", autocomplete: "one-time-code", autocapitalize: "characters", spellcheck: "false", maxlength: "20", value: arrived, "aria-invalid": why ? "true" : "false", "aria-describedby": "code-help code-error" });
    const error = h("p", { class: "error", id: "code-error", role: "alert" }, why);
    const send = button("Pair this phone", () => {}, "big wide");
    send.type = "submit";
    const submit = async (event) => {
      event.preventDefault();
      send.disabled = true;
      error.textContent = why = await tried(input.value);
      send.disabled = false;
      input.setAttribute("aria-invalid", error.textContent ? "true" : "false");
      if (error.textContent) input.focus();
    };
    return [
      h("h1", {}, now.token ? "Pair this phone anew" : "Pair this phone"),
      now.items.length > 0 && h("p", { class: "notice warn" }, `${count(now.items.length, "item")} not sent yet. They are kept, and sent by the new pairing.`),
      h("form", { class: "card stack", onsubmit: submit },
        h("div", { class: "field" }, h("label", { for: "code" }, "Code from your dispatcher"), input, h("p", { class: "hint", id: "code-help" }, "Ten letters and digits. Or point the phone's camera at the QR code."), error),
        send),
    ];
  },

  // By the link of a QR code: pair at once on a new phone, ask on one that is paired already.
  async arrive(code) {
    arrived = decodeURIComponent(code);
    const paired = Boolean(await box.get("token")) && !(await box.get("revoked"));
    history.replaceState(null, "", arrived && paired ? "/driver/#/pair" : "/driver/");
    if (arrived && !paired) why = await tried(arrived);
    if (why) history.replaceState(null, "", "/driver/#/pair");
  },
};

// Why it did not work; empty when it did.
async function tried(code) {
  let answer;
  try {
    answer = await fetch("/driver/api/pair", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code: code.trim() }) });
  } catch {
    return "There is no connection to the hub. Try again where there is signal.";
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) return told.detail ?? `The hub answered ${answer.status}.`;
  await box.set("token", told.token);
  await box.forget("revoked");
  await box.forget("day");
  arrived = "";
  await navigator.storage?.persist?.();
  await sync();
  go("#/");
  return "";
}
