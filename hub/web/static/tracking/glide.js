// The way between two places of the drawing, along the streets that are drawn in it: no road is
// asked for, so nobody is told which one it was. Empty where the streets do not lead there.
function along(from, to) {
  const near = 16; // pixels that a phone may be off the street
  const [left, right] = [Math.min(from[0], to[0]) - 48, Math.max(from[0], to[0]) + 48];
  const [top, bottom] = [Math.min(from[1], to[1]) - 48, Math.max(from[1], to[1]) + 48];
  const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const pieces = [];
  for (const path of document.querySelectorAll('.map path[id$="-minor"],.map path[id$="-major"]')) {
    let at = [0, 0];
    for (const [, how, dx, dy] of path.getAttribute("d").matchAll(/([Ml])(-?\d+) ?(-?\d+)/g)) {
      const next = how === "M" ? [+dx, +dy] : [at[0] + +dx, at[1] + +dy];
      const is_off = [at, next].every((p) => p[0] < left) || [at, next].every((p) => p[0] > right) || [at, next].every((p) => p[1] < top) || [at, next].every((p) => p[1] > bottom);
      if (how === "l" && !is_off) pieces.push({ a: at, b: next, cuts: [] });
      at = next;
    }
  }
  if (pieces.length > 600) return [];
  // The nearest point of a piece: how far along it is, and where.
  function foot({ a, b }, p) {
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const t = Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)));
    return { t, at: [a[0] + t * dx, a[1] + t * dy] };
  }
  function join(p) {
    let best = null;
    for (const piece of pieces) {
      const one = foot(piece, p);
      const off = far(one.at, p);
      if (off <= near && off < (best?.off ?? 1e9)) best = { ...one, off, piece };
    }
    best?.piece.cuts.push(best);
    return best?.at;
  }
  const [first, last] = [join(from), join(to)];
  if (!first || !last) return [];
  // Streets meet where one ends at the other, and where they cross.
  for (const one of pieces)
    for (const other of pieces) {
      if (one === other) continue;
      for (const end of [other.a, other.b]) {
        const { t, at } = foot(one, end);
        if (far(at, end) < 2) one.cuts.push({ t, at: end });
      }
      const [ux, uy, vx, vy] = [one.b[0] - one.a[0], one.b[1] - one.a[1], other.b[0] - other.a[0], other.b[1] - other.a[1]];
      const turn = ux * vy - uy * vx;
      if (!turn) continue;
      const [wx, wy] = [other.a[0] - one.a[0], other.a[1] - one.a[1]];
      const [t, u] = [(wx * vy - wy * vx) / turn, (wx * uy - wy * ux) / turn];
      if (t > 0 && t < 1 && u > 0 && u < 1) one.cuts.push({ t, at: [one.a[0] + t * ux, one.a[1] + t * uy] });
    }
  const nodes = new Map();
  const node = (p) => {
    const key = p.map((n) => n.toFixed(1)).join();
    if (!nodes.has(key)) nodes.set(key, { at: p, ways: [], cost: Infinity });
    return nodes.get(key);
  };
  for (const { a, b, cuts } of pieces) {
    const stops = [{ t: 0, at: a }, ...cuts, { t: 1, at: b }].sort((p, q) => p.t - q.t).map((cut) => node(cut.at));
    for (let n = 1; n < stops.length; n += 1) {
      const [p, q] = [stops[n - 1], stops[n]];
      if (p === q) continue;
      p.ways.push(q);
      q.ways.push(p);
    }
  }
  const [start, goal] = [node(first), node(last)];
  start.cost = 0;
  const open = new Set([start]);
  while (open.size) {
    const here = [...open].reduce((p, q) => (q.cost < p.cost ? q : p));
    if (here === goal) break;
    open.delete(here);
    for (const next of here.ways) {
      const cost = here.cost + far(here.at, next.at);
      if (cost < next.cost - 1e-9) {
        Object.assign(next, { cost, before: here });
        open.add(next);
      }
    }
  }
  // Nobody drives round three blocks in a few seconds: he took another way.
  if (goal.cost > 2.2 * far(first, last) + 24) return [];
  const way = [];
  for (let at = goal; at; at = at.before) way.unshift(at.at);
  return [from, ...way, to];
}
