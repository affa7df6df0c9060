// The recipient signs with a finger; ink is black on white in every theme, as on paper.

import { button, h, toast } from "./dom.js";
import { picture } from "./photos.js";
import SignaturePad from "./signature_pad.js";

export function signature(draft, changed) {
  const place = h("div", { class: "stack tight" });
  const paint = () => place.replaceChildren(...(draft.signature ? signed() : blank()));

  const again = () => button("Sign again", () => { draft.signature = null; paint(); changed(); }, "secondary big");

  function signed() {
    const url = URL.createObjectURL(new Blob([draft.signature.bytes], { type: "image/png" }));
    return [h("img", { class: "paper", src: url, alt: "The signature", onload: () => URL.revokeObjectURL(url) }), again()];
  }

  function blank() {
    const canvas = h("canvas", { class: "paper", "aria-label": "Sign here with a finger", role: "img" });
    requestAnimationFrame(() => {
      const scale = Math.max(window.devicePixelRatio || 1, 1);
      canvas.width = canvas.offsetWidth * scale;
      canvas.height = canvas.offsetHeight * scale;
      canvas.getContext("2d").scale(scale, scale);
      const pad = new SignaturePad(canvas, { penColor: "#000", backgroundColor: "#fff", minWidth: 1, maxWidth: 3 });
      pad.addEventListener("endStroke", () => keep(canvas));
    });
    return [canvas, again()];
  }

  // After every stroke: nobody has to press anything more with somebody else's finger.
  async function keep(canvas) {
    try {
      const blob = await new Promise((ready) => canvas.toBlob(ready, "image/png"));
      draft.signature = await picture(blob, "signature", "image/png");
    } catch {
      toast(window.isSecureContext ? "The signature could not be kept. Try again." : "Signatures need the https:// address.");
      return;
    }
    changed();
  }

  paint();
  return h("section", { class: "card stack tight", "aria-label": "Signature" }, h("h2", {}, "Signature"), place);
}
