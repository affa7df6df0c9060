// The time that acts and positions bear: the phone's own, but for a hub that lives by another
// clock (the demo's, which may be faster than the sun).

let heard = null; // a moment by both clocks, and how much faster the hub's has gone lately

// `told` is the hub's time, null where it lives by the real one.
export function hear(told) {
  if (!told) {
    heard = null;
    return;
  }
  const [hub, ours] = [Date.parse(told), Date.now()];
  const passed_ms = heard ? ours - heard.ours : 0;
  const pace = passed_ms > 1000 ? (hub - heard.hub) / passed_ms : (heard?.pace ?? 1);
  heard = { hub, ours, pace };
}

// What the hub's clock shows when the phone's shows `at`, in ms.
export const hubTime = (at = Date.now()) => Math.round(heard ? heard.hub + (at - heard.ours) * heard.pace : at);
