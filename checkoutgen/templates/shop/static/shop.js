// Only enhances: every page works without it.
document.documentElement.classList.add("js");
// A choice or quantity that has its own button sends itself when it changes.
for (const field of document.querySelectorAll("[data-send]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
