// Only enhances: every page works without it.
document.documentElement.classList.add("js");
// A choice or quantity that has its own button sends itself when it changes.
for (const field of document.querySelectorAll("[data-send]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
// Another country or way of delivery asks the server for the form that goes with it, and comes back to the same place.
const place = JSON.parse(sessionStorage.getItem("place") || "null");
sessionStorage.removeItem("place");
addEventListener("pageshow", () => {
  if (place?.path !== location.pathname) return;
  document.getElementById(place.id)?.focus({ preventScroll: true });
  scrollTo(0, place.top);
});
for (const field of document.querySelectorAll("[data-update]")) {
  field.addEventListener("change", () => {
    const button = field.form.querySelector(`button[name=update][value="${field.dataset.update}"]`);
    if (!button) return;
    sessionStorage.setItem("place", JSON.stringify({ path: location.pathname, id: field.id, top: scrollY }));
    field.form.requestSubmit(button);
  });
}
// A form that orders or pays is sent once; its button says that it works.
for (const form of document.querySelectorAll("[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    const button = event.submitter;
    if (button?.name) return;
    setTimeout(() => {
      button?.setAttribute("aria-disabled", "true");
      button?.replaceChildren(form.dataset.once);
    });
  });
}
// Back from the browser's memory: the button works again.
addEventListener("pageshow", (event) => event.persisted && location.reload());
// After an error the summary has the focus, so that a screen reader begins there.
document.getElementById("errs")?.focus();
// A half-typed address is pointed out when the field is left; the message goes as soon as it is right.
// While a pointer is pressed it waits: a message would push the pressed button away, and the click would be lost.
let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => (pressed = false), true);
for (const field of document.querySelectorAll("[data-hint]:not([aria-invalid])")) {
  const wrong = () => field.value && !/^[^@\s]+@[^@\s]+\.[^@\s.]+$/.test(field.value.trim());
  const message = document.createElement("span");
  message.className = "err";
  message.id = `${field.id}-live`;
  message.setAttribute("role", "status");
  field.before(message);
  const described = field.getAttribute("aria-describedby");
  const show = (text) => {
    message.textContent = text;
    field.toggleAttribute("aria-invalid", Boolean(text));
    if (text) field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", [text && message.id, described].filter(Boolean).join(" "));
  };
  const check = () => show(wrong() ? field.dataset.hint : "");
  field.addEventListener("blur", () => {
    if (!pressed) return check();
    addEventListener("pointerup", () => setTimeout(check), { once: true });
  });
  field.addEventListener("input", () => message.textContent && !wrong() && show(""));
}
