// A question of the server's shown in place: its page without the frame, its form without leaving.

const dialog = document.getElementById("asked");
const part = { "X-Requested-With": "fetch", Accept: "text/html, application/json" };
// As the server's own refusals look.
const REFUSED =
  '<div class="asked stack"><div class="page-head"><h1 id="dialog-title" tabindex="-1">Not possible now</h1>' +
  '<button class="button secondary small" type="button" data-close>Close</button></div></div>';
const AGAIN_MS = 800; // between two looks at what is still being worked out
let asking = null;
let turn = 0; // only the answer to what was asked last is shown

/** Show what ``url`` asks; ``done`` hears what the server said once it is decided.
 *
 * ``body`` is sent with it, if there is one. ``back`` brings the keyboard to where it was when the
 * question is closed. */
export async function ask(url, { back, done, body }) {
  asking = { back, done };
  dialog.innerHTML = '<p class="muted" id="dialog-title" data-looking>Looking what that would do…</p>';
  if (!dialog.open) dialog.showModal();
  await show(() => fetch(url, { headers: part, cache: "no-store", ...(body && { method: "POST", body }) }));
}

async function show(fetching) {
  const mine = asking;
  const now = ++turn;
  try {
    const answer = await fetching();
    if (mine !== asking || now !== turn) return;
    if (answer.headers.get("Content-Type")?.startsWith("application/json") && answer.ok) {
      const { said } = await answer.json();
      dialog.close();
      mine.done(said);
      return;
    }
    if (answer.status === 401) return refuse("You are logged out, and nothing was changed. Log in again.");
    const html = await answer.text();
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".asked");
    if (!fresh) return refuse("That is not there any more. Close this and look at the board again.");
    dialog.replaceChildren(fresh);
    document.getElementById("dialog-title")?.focus(); // Enter pressed once more decides nothing unread
    lookAgain(mine);
  } catch {
    if (mine === asking && now === turn) refuse("The hub cannot be reached, and nothing was changed. Try again in a moment.");
  }
}

/** What is still being worked out is asked for again; the keyboard stays where it is. */
function lookAgain(mine) {
  const url = dialog.querySelector("[data-again]")?.dataset.again;
  const now = turn;
  if (!url) return;
  setTimeout(async () => {
    if (mine !== asking || now !== turn) return;
    try {
      const answer = await fetch(url, { headers: part, cache: "no-store" });
      const html = answer.ok ? await answer.text() : "";
      if (mine !== asking || now !== turn) return;
      const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".asked");
      const { id } = document.activeElement;
      if (fresh) {
        dialog.replaceChildren(fresh);
        (document.getElementById(id || "dialog-title") ?? document.getElementById("dialog-title"))?.focus();
      }
    } catch {
      // no network for a moment: what is shown stays, and is asked for again
    }
    lookAgain(mine);
  }, AGAIN_MS);
}

/** A form stays as it is, for another try. */
function refuse(said) {
  dialog.querySelector("[data-refused]")?.remove();
  if (dialog.querySelector("[data-looking]")) dialog.innerHTML = REFUSED;
  const line = document.createElement("p");
  line.className = "notice bad";
  line.dataset.refused = "";
  line.setAttribute("role", "alert");
  line.textContent = said;
  (dialog.querySelector(".asked") ?? dialog).append(line);
  for (const button of dialog.querySelectorAll("button[disabled]")) button.disabled = false;
  dialog.querySelector("[data-close]").focus();
}

dialog.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation(); // panel.js would count it as sent
  const form = event.target;
  if (form.method === "get") { // a question in two steps: the second is asked in place as well
    const asked = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    show(() => fetch(asked, { headers: part, cache: "no-store" }));
    return;
  }
  const body = new URLSearchParams(new FormData(form));
  for (const button of dialog.querySelectorAll("form button")) button.disabled = true;
  show(() => fetch(form.action, { method: "POST", body, headers: part }));
});
dialog.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") || event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  if (dialog.open) return; // told late: the next question is asked already
  asking?.back();
  asking = null;
});
