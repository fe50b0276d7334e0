// The payment page. A provider's script calls payByFields({ mount, pay, focus }):
//   mount(place, settings)  puts its fields there; when that fails, the form goes to the provider's own page as before
//   pay(send)               calls send(token) with what stands for the card; an Error that it throws is shown by its text
//   focus()                 goes to the field to correct, if it can
"use strict";
window.payByFields = async (provider) => {
  const form = document.getElementById("fields");
  const place = document.getElementById("fields-place");
  const error = document.getElementById("fields-error");
  const button = form.querySelector("button[type=submit]");
  const label = [...button.childNodes];
  const title = document.title;
  let busy = false;
  let unanswered; // a token that may have been used: it is sent again, so that nothing is charged twice

  const say = (text) => {
    error.textContent = text;
    document.title = text ? `${form.dataset.error}: ${title}` : title;
    if (text) (provider.focus ?? (() => error.focus()))();
  };
  const work = (on) => {
    busy = on;
    button.setAttribute("aria-disabled", String(on));
    button.replaceChildren(...(on ? [form.dataset.wait] : label));
  };
  const send = async (typed) => {
    unanswered ??= typed;
    const body = new URLSearchParams([...new FormData(form), ["typed", unanswered]]);
    let response, answer;
    try {
      response = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
      answer = await response.json();
    } catch {
      throw new Error(form.dataset.lost);
    }
    if (!answer.again) unanswered = undefined;
    if (!response.ok) throw new Error(answer.error ?? form.dataset.lost);
    return answer;
  };

  try {
    place.hidden = false;
    await provider.mount(place, JSON.parse(form.dataset.settings));
  } catch {
    place.hidden = true;
    return;
  }
  document.getElementById("fields-away").remove();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    work(true);
    error.textContent = "";
    try {
      location.assign((await provider.pay(send)).go);
    } catch (problem) {
      work(false);
      say(problem.message);
    }
  });
};

// A place with a label for one field, for providers that have a frame for each. Returns [place, element of its error].
payByFields.row = (place, label) => {
  const row = document.createElement("div");
  const [name, error, field] = ["span", "span", "div"].map((tag) => row.appendChild(document.createElement(tag)));
  row.className = "f";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", label);
  name.className = "lab";
  name.textContent = label;
  error.className = "err";
  error.setAttribute("role", "status");
  field.className = "box";
  place.append(row);
  return [field, error];
};
