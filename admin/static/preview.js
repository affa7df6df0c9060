// Draws the preview beside a form anew while one types. The server draws; this only asks.
for (const box of document.querySelectorAll("[data-preview-of]")) {
  const form = document.getElementById(box.dataset.previewOf);
  let wait, last = 0;
  const ask = async () => {
    const mine = ++last;
    const sent = new FormData(form);
    sent.delete("logo");
    const answer = await fetch(box.dataset.from, { method: "POST", body: sent, headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    if (!answer?.ok || mine !== last) return;
    box.innerHTML = await answer.text();
    paint(box);
  };
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(ask, 250);
  });
  paint(box);
}

function paint(box) {
  const drawn = box.querySelector("[data-brand]");
  if (!drawn) return;
  box.style.setProperty("--brand", drawn.dataset.brand);
  box.style.setProperty("--on-brand", drawn.dataset.onBrand);
  box.style.setProperty("--brand-accent", drawn.dataset.brandAccent);
}
