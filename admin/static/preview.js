// Draws the preview beside a form anew while one types. The server draws, into the frame that the
// button names; this only presses the button. Each drawing gets a frame of its own, so that Back
// leaves the form instead of walking through drawings, and so that nothing blinks.
for (const button of document.querySelectorAll("[data-preview]")) {
  const form = button.form;
  let shown = document.getElementsByName(button.formTarget)[0], wait, n = 0;
  const sheet = (frame) => frame.contentDocument?.querySelector("main");
  const draw = () => {
    const next = document.createElement("iframe");
    next.title = shown.title;
    next.className = "next";
    next.name = button.formTarget = `preview-${++n}`;
    shown.after(next);
    next.addEventListener("load", () => {
      if (!sheet(next) || next.name !== button.formTarget) return;
      for (const other of next.parentNode.querySelectorAll("iframe")) {
        if (other !== next && other !== shown) other.remove();
      }
      next.className = "";
      sheet(next).scrollLeft = sheet(shown)?.scrollLeft ?? 0;
      shown.remove();
      shown = next;
    });
    form.requestSubmit(button);
  };
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(draw, 350);
  });
  for (const choice of document.querySelectorAll(`select[form="${form.id}"]`)) choice.addEventListener("input", draw);
}
