// Keeps the page for times without signal, and sends what waits when signal is back.
// `version` changes with any file of the page, so a phone never mixes two versions.
const CACHE = "driver-{{ version }}";
const SHELL = "/driver/";
const KEPT = {{ (kept + ["/driver/", "/driver/manifest.webmanifest"]) | tojson }};

importScripts("/driver/v/{{ version }}/outbox.js");

addEventListener("install", (event) => {
  const fresh = KEPT.map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/driver/api/")) return;
  const isPage = event.request.mode === "navigate";
  event.respondWith(kept(isPage ? SHELL : event.request).then((found) => found ?? fetch(event.request)));
});

addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(box.flush().then(box.allFree).then(box.flush));
});

async function kept(what) {
  return (await caches.open(CACHE)).match(what);
}

async function forgetOthers() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("driver-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}
