// In the demo provider's frame: turns what is typed into a token. Speaks with the page that frames it, and with it alone.
"use strict";
const form = document.querySelector("form");
const tell = (message) => parent.postMessage(message, "*"); // a token is worth nothing without the shop's keys
const fields = [...form.elements].filter((each) => each.name);

const show = (errors) => {
  for (const field of fields) {
    const text = errors[field.name] ?? "";
    document.getElementById(`${field.name}-problem`).textContent = text;
    field.toggleAttribute("aria-invalid", Boolean(text));
    if (text) field.setAttribute("aria-invalid", "true");
  }
};
const focus = () => (fields.find((each) => each.hasAttribute("aria-invalid")) ?? fields[0]).focus();

const tokenise = async () => {
  let answer;
  try {
    answer = await (await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) })).json();
  } catch {
    return tell({ type: "wrong", text: form.dataset.lost });
  }
  show(answer.errors ?? {});
  if (answer.token) return tell({ type: "token", token: answer.token });
  tell({ type: "wrong", text: form.dataset.wrong });
};

addEventListener("message", ({ source, data }) => {
  if (source !== parent) return;
  if (data.type === "tokenise") tokenise();
  if (data.type === "focus") focus();
  if (data.type === "look") {
    document.documentElement.style.setProperty("--ink", data.ink);
    document.documentElement.style.fontFamily = data.font;
  }
});
form.addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-number]")) {
  button.addEventListener("click", () => {
    for (const [name, value] of [["number", button.textContent], ["expiry", "12/30"], ["code", "123"]])
      if (form.elements[name]) form.elements[name].value = value;
    show({});
  });
}
new ResizeObserver(() => tell({ type: "height", height: document.documentElement.getBoundingClientRect().height })).observe(
  document.documentElement,
);
tell({ type: "ready" });
