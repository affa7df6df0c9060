// Pictures from the phone's camera, made small before they are kept.

import { h, size, toast } from "./dom.js";

const LONGEST_PX = 1280;
const QUALITY = 0.72;

export function photos(draft, changed) {
  const shown = h("div", { class: "pictures" });
  const input = h("input", { type: "file", id: "photo", accept: "image/*", capture: "environment", class: "hidden-visually", onchange: take });
  const label = h("label", { for: "photo", class: "button secondary big" });
  async function take() {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    try {
      draft.photos.push(await picture(await shrunk(file), "photo", "image/jpeg"));
    } catch {
      toast(window.isSecureContext ? "This picture cannot be read. Take it again." : "Pictures need the https:// address.");
      return;
    }
    paint();
    changed();
  }
  const paint = () => {
    shown.replaceChildren(...draft.photos.map((one, n) => thumbnail(one, () => { draft.photos.splice(n, 1); paint(); changed(); })));
    label.textContent = draft.photos.length ? "Take another photo" : "Take photo";
  };
  paint();
  return h("section", { class: "card stack tight", "aria-label": "Photo" }, h("h2", {}, "Photo"), shown, input, label);
}

function thumbnail(one, remove) {
  const url = URL.createObjectURL(new Blob([one.bytes], { type: one.media_type }));
  const image = h("img", { src: url, alt: `Photo, ${size(one.bytes.byteLength)}`, onload: () => URL.revokeObjectURL(url) });
  return h("figure", {}, image, h("button", { type: "button", class: "button secondary step", "aria-label": "Remove this photo", onclick: remove }, "✕"));
}

// At most 1280 px, upright, and without what else the camera wrote into the file.
async function shrunk(file) {
  const image = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_PX / Math.max(image.width, image.height));
  const canvas = h("canvas", { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

// Kept as bytes: Safari has lost Blobs in IndexedDB.
export async function picture(blob, kind, media_type) {
  const bytes = await blob.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { kind, media_type, sha256, bytes };
}
