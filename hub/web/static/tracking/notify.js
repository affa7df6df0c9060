// Asks the browser to tell of this order, once somebody wants that, and not before.
(() => {
  const box = document.getElementById("notify");
  const can = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  const apple = /iP(hone|ad|od)/.test(navigator.userAgent);
  if (!box || !(can || apple)) return;
  const [button, said] = [box.querySelector("button"), box.querySelector("p")];
  const here = location.pathname;
  const words = box.dataset;
  let known = null;
  box.hidden = false;

  function paint(text = known ? words.on : "") {
    button.textContent = known ? words.stop : words.ask;
    said.textContent = text;
  }

  async function mine() {
    const worker = await navigator.serviceWorker.getRegistration(here);
    return new URL(worker?.scope ?? "/", location).pathname === here ? worker : null;
  }

  const send = (method, told) =>
    fetch(`${here}/push`, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(told) });

  async function begin() {
    if ((await Notification.requestPermission()) !== "granted") {
      return Notification.permission === "denied" ? words.blocked : "";
    }
    const answer = await fetch(`${here}/push`);
    if (!answer.ok) throw answer;
    const { key } = await answer.json();
    const worker = await navigator.serviceWorker.register("/t/sw.js", { scope: here });
    while (!worker.active) await new Promise((later) => setTimeout(later, 50));
    const told = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    if (!(await send("POST", told)).ok) throw told;
    known = told;
  }

  async function end() {
    await send("DELETE", { endpoint: known.endpoint });
    await known.unsubscribe();
    await (await mine())?.unregister();
    known = null;
  }

  button.addEventListener("click", async () => {
    if (!can) return paint(words.apple);
    button.disabled = true;
    try {
      paint((await (known ? end() : begin())) ?? undefined);
    } catch {
      paint(words.failed);
    }
    button.disabled = false;
    button.focus();
  });

  if (can) {
    mine()
      .then((worker) => worker?.pushManager.getSubscription())
      .then((found) => (known = found ?? null))
      .then(() => paint(), () => {});
  }
})();
