// Follows a map build: asks every two seconds, and shows the page anew once it has ended.
const box = document.querySelector("[data-follow]");
const timer = setInterval(async () => {
  const answer = await fetch(box.dataset.follow, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  if (!answer?.ok) return;
  const { stage, step, percent } = await answer.json();
  if (stage !== "waiting" && stage !== "building") {
    clearInterval(timer);
    location.reload();
    return;
  }
  box.querySelector("progress").value = percent;
  box.querySelector("[data-step]").textContent = step || "Waiting for the worker";
}, 2000);
