// Keeps an open page true without loading it anew: by the stream, else by asking now and
// then, else by the whole page once a minute. It is written into the page, which is one request.
(() => {
  const $ = (what, where = document) => where.querySelector(what);
  const stream_url = `/live/t/${location.pathname.split("/")[2]}`;
  const { zone, tag: first, silent, now: fresh_words, ago } = $("main").dataset;
  let [tag, now_tag, version] = [first, "", null];
  let [stream, fails, ticks, busy, wanted, asked_at] = [null, 0, 0, null, 0, 0];
  let moved_at = 0;
  let heard = null; // when the driver was at the place shown, by the hub's clock and by ours
  hear($("#signal")?.dataset);

  function hear(told) {
    heard = told?.at ? { at: Number(told.at), ours: Date.now() - (told.age ?? told.age_s) * 1000 } : null;
  }

  async function ask(url, known) {
    const answer = await fetch(url, { headers: known ? { "If-None-Match": known } : {} });
    if (answer.status >= 500) throw answer;
    return answer;
  }

  // What is asked for while an answer is awaited is asked for after it.
  function page(with_map) {
    wanted = Math.max(wanted, with_map === true ? 2 : 1);
    return (busy ??= all_wanted().finally(() => (busy = null)));
  }

  async function all_wanted() {
    while (wanted) {
      const with_map = wanted === 2;
      wanted = 0;
      await swap(with_map).catch(() => {});
    }
  }

  // The page again, and what of it has changed put in place.
  async function swap(with_map) {
    const answer = await ask(location.pathname, with_map ? "" : tag);
    if (answer.status === 304) return;
    const text = (await answer.text()).replace(/<style[^]*?<\/style>/g, "");
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const [old, main] = [$("main"), $("main", fresh)];
    if (!main?.dataset.shows) return location.reload();
    tag = answer.headers.get("ETag") ?? "";
    const look = $(".map style"); // its nonce is the page's own
    const words = (where) => [...$("#status", where).querySelectorAll("h1,.big,.day")].map((e) => e.textContent).join(" ");
    const [before, after] = [words(document), words(fresh)];
    const typed = $("#do details[open]") && $("#do"); // nobody loses what is being written
    if (main.dataset.shows !== old.dataset.shows) {
      if (typed) $("#do", main)?.replaceWith(typed);
      $("#notify", main)?.replaceWith($("#notify") ?? ""); // the one its script paints
      old.replaceChildren(...main.childNodes);
      Object.assign(old.dataset, main.dataset);
      old.className = main.className;
    } else {
      if ($("#status", fresh).textContent !== $("#status").textContent) $("#status").replaceWith($("#status", fresh));
      const driver = (where) => Boolean($("[data-pin=driver]", where));
      if (!typed) renew("#do", fresh, "#status");
      renew("#about", fresh, "#status");
      if (with_map || driver(fresh) !== driver(document)) $("#where").replaceWith($("#where", fresh));
    }
    if (look && $(".map svg")) $(".map svg").prepend(look);
    hear($("#signal")?.dataset);
    document.title = fresh.title;
    if (before !== after) $("#said").textContent = after;
    if (!$("main.live")) stop();
  }

  // A part that came, went or changed, put after ``before`` if it was not there.
  function renew(what, fresh, before) {
    const [old, now] = [$(what), $(what, fresh)];
    if (old && now) return old.innerHTML === now.innerHTML || old.replaceWith(now);
    if (now) $(before).after(now);
    old?.remove();
  }

  // Glide along the road to where the driver is; he left the drawing if he is not on it any more.
  function move(told) {
    const { lat, lon } = told;
    hear(told);
    tell();
    const [svg, pin] = [$(".map svg"), $("[data-pin=driver]")];
    const { zoom, left, top } = svg?.dataset ?? {};
    const world = 256 * 2 ** zoom;
    const up = Math.sin((lat * Math.PI) / 180);
    const x = ((lon + 180) / 360) * world - left;
    const y = (0.5 - Math.log((1 + up) / (1 - up)) / (4 * Math.PI)) * world - top;
    const { width, height } = svg?.viewBox.baseVal ?? {};
    if (!pin || x < 12 || y < 12 || x > width - 12 || y > height - 12) {
      if (Date.now() - asked_at < 5000) return;
      asked_at = Date.now();
      return page(true);
    }
    const still = matchMedia("(prefers-reduced-motion:reduce)").matches;
    const glide_s = still ? 0 : Math.min(Math.max((Date.now() - moved_at) / 1000, 0.5), 8);
    moved_at = Date.now();
    const { e, f } = new DOMMatrix(getComputedStyle(pin).transform);
    const way = glide_s ? along([e, f], [x, y]) : [];
    const frames = (way.length ? way : [[e, f], [x, y]]).map(([px, py]) => `translate(${px}px,${py}px)`);
    const lengths = way.map((at, n) => (n ? Math.hypot(at[0] - way[n - 1][0], at[1] - way[n - 1][1]) : 0));
    const all = lengths.reduce((sum, one) => sum + one, 0);
    let gone_by = 0;
    const offset = way.length && all ? lengths.map((one) => Math.min(1, (gone_by += one) / all)) : undefined;
    pin.getAnimations().forEach((one) => one.cancel());
    pin.style.transform = frames.at(-1);
    if (glide_s) pin.animate({ transform: frames, ...(offset && { offset }) }, glide_s * 1000);
  }

  function gone() {
    $("[data-pin=driver]")?.remove();
    $("#signal")?.remove();
    page();
  }

  function tell() {
    const line = $("#signal");
    if (!line || !heard) return;
    const age_s = (Date.now() - heard.ours) / 1000;
    const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(heard.at);
    line.className = age_s > 120 ? "stale" : "muted";
    line.textContent = age_s > 120 ? silent.replace("{time}", time) : age_s < 60 ? fresh_words : ago;
  }

  function listen() {
    stream = new EventSource(stream_url);
    stream.onopen = () => (fails = 0);
    stream.onerror = () => (fails += 1) > 2 || stream?.readyState === 2 ? hush() : 0;
    stream.addEventListener("state", page);
    stream.addEventListener("pos", (event) => move(JSON.parse(event.data)));
    stream.addEventListener("gone", gone);
  }

  function hush() {
    stream?.close();
    stream = null;
  }

  async function tick() {
    tell();
    if (document.hidden || stream) return;
    if ((ticks += 1) % 6 === 0) {
      page();
      listen();
      return;
    }
    const answer = await ask(`${stream_url}/now`, now_tag);
    if (answer.status !== 200) return;
    now_tag = answer.headers.get("ETag") ?? "";
    const { v, pos } = await answer.json();
    if (v !== version) page();
    version = v;
    if (pos) move(pos);
    else if ($("[data-pin=driver]")) gone();
  }

  const ticking = setInterval(() => tick().catch(() => {}), 10_000);
  function stop() {
    hush();
    clearInterval(ticking);
    document.removeEventListener("visibilitychange", turn);
  }
  function turn() {
    hush();
    if (document.hidden) return;
    listen();
    page();
  }
  document.addEventListener("visibilitychange", turn);
  listen();
})();
