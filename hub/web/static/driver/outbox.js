// What this phone keeps: the last route, and everything the hub has not heard yet.
//
// The page loads this file as a module, the service worker with importScripts; so it
// hangs on `self` and neither imports nor exports. An item of the box is
//   { seq, type: "act",  at, tries, error, refused, act: {act_id, kind, …} }
//   { seq, type: "file", at, tries, error, refused, file: {job_id, sha256, kind, media_type, bytes} }
// and leaves it only once the hub has answered for it, or a person dismissed the refusal.
// An act with a moment in `hold` is not sent before: its place is still being looked for.
self.box = (() => {
  const NAME = "hub-driver";
  const MOST_ACTS = 100; // the hub takes 200 in one batch
  const changed = new BroadcastChannel("hub-driver");
  let opening = null;

  function open() {
    opening ??= new Promise((resolve, reject) => {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("kept");
        asked.result.createObjectStore("box", { keyPath: "seq", autoIncrement: true });
      };
      asked.onsuccess = () => {
        asked.result.onversionchange = asked.result.onclose = () => {
          asked.result.close();
          opening = null;
        };
        resolve(asked.result);
      };
      asked.onerror = () => {
        opening = null;
        reject(asked.error);
      };
    });
    return opening;
  }

  // Runs `work` in one transaction and answers, once that is on disk, with its request's result.
  async function within(stores, mode, work) {
    const db = await open();
    return new Promise((resolve, reject) => {
      const all = db.transaction(stores, mode, { durability: "strict" });
      let asked;
      all.oncomplete = () => resolve(asked?.result);
      all.onabort = all.onerror = () => reject(all.error ?? new Error("This phone's storage is full."));
      asked = work(...stores.map((name) => all.objectStore(name)));
    });
  }

  const get = (key) => within(["kept"], "readonly", (kept) => kept.get(key));
  const set = (key, value) => within(["kept"], "readwrite", (kept) => kept.put(value, key));
  const forget = (key) => within(["kept"], "readwrite", (kept) => kept.delete(key));
  const all = () => within(["box"], "readonly", (items) => items.getAll());
  const waiting = async () => (await all()).filter((item) => !item.refused);

  // All of `items` and what they mean for the screen (`told`, by job or route), or none.
  // `draft` is the key of what was typed for them and is not needed any more.
  async function add(items, told = {}, draft = "") {
    await within(["box", "kept"], "readwrite", (store, kept) => {
      if (draft) kept.delete(draft);
      const at = new Date().toISOString();
      for (const item of items) store.add({ at, tries: 0, error: "", refused: "", ...item });
      const asked = kept.get("told");
      asked.onsuccess = () => kept.put({ ...asked.result, ...told }, "told");
    });
    changed.postMessage("added");
  }

  // Let a held act go, with `news` in its body; one whose moment has passed may be under way.
  async function release(seq, news) {
    await within(["box"], "readwrite", (store) => {
      const asked = store.get(seq);
      asked.onsuccess = () => {
        const item = asked.result;
        if (!item || item.hold <= Date.now()) return;
        store.put({ ...item, hold: 0, act: { ...item.act, body: { ...item.act.body, ...news } } });
      };
    });
  }

  // Comes back once no act is held any more, at most some seconds later.
  async function allFree() {
    const until = Math.max(0, ...(await waiting()).map((item) => item.hold || 0));
    await new Promise((done) => setTimeout(done, Math.max(0, until - Date.now())));
  }

  async function dismiss(seq) {
    await within(["box"], "readwrite", (items) => items.delete(seq));
    changed.postMessage("dismissed");
  }

  async function mark(item, news) {
    await within(["box"], "readwrite", (items) => items.put({ ...item, ...news }));
  }

  // Send what waits, oldest act first, then the files. Page and worker take turns.
  function flush() {
    return navigator.locks ? navigator.locks.request("hub-driver-send", send) : send();
  }

  async function send() {
    const token = await get("token");
    const items = (await waiting()).filter((item) => !(item.hold > Date.now()));
    if (!token || !items.length) return;
    try {
      const acts = items.filter((item) => item.type === "act");
      for (let at = 0; at < acts.length; at += MOST_ACTS) {
        await sendActs(token, acts.slice(at, at + MOST_ACTS));
      }
      for (const item of items.filter((one) => one.type === "file")) await sendFile(token, item);
      await set("reached", { ok: true, at: Date.now() });
    } catch (problem) {
      if (!(problem instanceof Stop)) throw problem;
    } finally {
      changed.postMessage("sent");
    }
  }

  class Stop extends Error {} // nothing more can be sent now

  async function sendActs(token, items) {
    const body = JSON.stringify({ acts: items.map((item) => item.act) });
    const headers = { "Content-Type": "application/json" };
    const answer = await call(token, "/driver/api/acts", { method: "POST", headers, body }, items);
    if (answer.ok) {
      const { results } = await answer.json();
      for (const [n, item] of items.entries()) await settle(item, results[n]);
    } else if (items.length > 1) {
      for (const item of items) await sendActs(token, [item]); // one bad act must not block the rest
    } else {
      await failed(items[0], answer);
    }
  }

  async function settle(item, result) {
    const refused = result.result === "refused" || result.result === "malformed";
    const lost = result.result === "noted" && item.act.kind === "close";
    if (refused || lost) await mark(item, { refused: result.why || "The hub did not take this." });
    else await within(["box"], "readwrite", (store) => store.delete(item.seq));
  }

  async function sendFile(token, item) {
    const { job_id, sha256, kind, media_type, bytes } = item.file;
    const url = `/driver/api/files/${job_id}/${sha256}?kind=${kind}`;
    const asked = { method: "PUT", headers: { "Content-Type": media_type }, body: bytes };
    const answer = await call(token, url, asked, [item]);
    if (answer.ok) await within(["box"], "readwrite", (store) => store.delete(item.seq));
    else await failed(item, answer);
  }

  async function call(token, url, asked, items) {
    let answer;
    try {
      asked.headers.Authorization = `Bearer ${token}`;
      answer = await fetch(url, { ...asked, signal: AbortSignal.timeout(60_000) });
    } catch {
      for (const item of items) await mark(item, { tries: item.tries + 1, error: "No connection" });
      await set("reached", { ok: false, at: Date.now() });
      throw new Stop();
    }
    if (answer.status === 401) {
      await set("revoked", true);
      throw new Stop();
    }
    return answer;
  }

  async function failed(item, answer) {
    const problem = await answer.json().catch(() => ({}));
    const text = problem.detail || `The hub answered ${answer.status}.`;
    const later = answer.status >= 500 || answer.status === 429 || answer.status === 408;
    await mark(item, later ? { tries: item.tries + 1, error: text } : { refused: text });
    if (answer.status === 429) throw new Stop();
  }

  return { add, all, allFree, changed, dismiss, flush, forget, get, release, set, waiting, within };
})();
