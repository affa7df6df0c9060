// Shows what the hub pushes about one order, and opens its page. It keeps nothing and fetches nothing.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data?.json() ?? {};
  } catch {
    // shown without words: a browser takes the permission back from whoever shows nothing
  }
  const { title = "", body = "", tag = "", url = "" } = told;
  const shown = { body, tag, data: { url } };
  event.waitUntil(registration.showNotification(title || "…", shown));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open_page());
});

async function open_page() {
  const scope = new URL(registration.scope);
  const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const known = windows.find((one) => new URL(one.url).pathname === scope.pathname);
  return known ? known.focus() : clients.openWindow(scope.href);
}
