// Rows of hours: one more when somebody asks for it; one that is removed is emptied. Without this all of them are there.
for (const list of document.querySelectorAll("[data-rows]")) {
  const rows = [...list.querySelectorAll("[data-row]")];
  const more = list.querySelector("[data-more]");
  const isSpare = (row) => row.classList.contains("spare");
  const settle = () => more.classList.toggle("spare", !rows.some(isSpare));
  for (const row of rows) {
    row.querySelector("[data-off]").addEventListener("click", () => {
      for (const input of row.querySelectorAll("input")) {
        input.value = "";
        input.removeAttribute("aria-invalid");
      }
      for (const said of row.querySelectorAll(".error")) said.remove();
      row.classList.add("spare");
      settle();
      more.focus();
    });
  }
  more.addEventListener("click", () => {
    const next = rows.find(isSpare);
    next.classList.remove("spare");
    settle();
    next.querySelector("input").focus();
  });
  settle();
}
