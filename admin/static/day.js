// Keeps the day fresh without taking anything out of a person's hands, and copies links.
const script = document.getElementById("day-script");
let leaving = false; // a form is on its way: loading the page again would throw it away
addEventListener("submit", () => (leaving = true));

async function look() {
  const answer = await fetch(`/panel/day/stand?day=${script.dataset.day}`, {
    headers: { "X-Requested-With": "fetch" },
  });
  if (!answer.ok) return answer.status !== 401;
  const { digest, progress, leftOut, looking } = await answer.json();
  if (digest === script.dataset.digest) {
    if ("planning" in script.dataset) document.querySelector("[data-progress]").innerHTML = progress;
    if ("looking" in script.dataset) showFound(leftOut, looking);
    return true;
  }
  if (leaving) return false;
  if ("planning" in script.dataset) location.reload();
  else document.querySelector("[data-changed]").hidden = false;
  return false;
}

// What would help those on no route, as it is found; not under somebody's hands.
function showFound(html, looking) {
  const list = document.querySelector("[data-left-out]");
  if (leaving || list.contains(document.activeElement)) return;
  if (list.dataset.shown !== html) list.innerHTML = list.dataset.shown = html;
  if (!looking) delete script.dataset.looking;
}

async function keepLooking() {
  for (let go = true; go; ) {
    const pause = "planning" in script.dataset ? 1000 : "looking" in script.dataset ? 2000 : 15000;
    await new Promise((resume) => setTimeout(resume, pause));
    if (document.hidden) continue;
    try {
      go = await look();
    } catch {
      // no network for a moment: the page stays as it is
    }
  }
}

if (script) keepLooking();

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}
