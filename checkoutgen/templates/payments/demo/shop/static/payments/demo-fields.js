// The demo provider's fields: a sandboxed frame, spoken to by messages. The page never sees what is typed there.
"use strict";
(() => {
  let frame;
  const waiting = [];
  const look = () => {
    const field = getComputedStyle(document.querySelector("fieldset"));
    return { type: "look", ink: field.color, font: field.fontFamily };
  };
  addEventListener("message", ({ source, data }) => {
    if (!frame || source !== frame.contentWindow) return;
    if (data.type === "ready") frame.contentWindow.postMessage(look(), "*");
    if (data.type === "height") frame.style.blockSize = `${Math.ceil(data.height)}px`;
    if (data.type === "token") waiting.shift()?.resolve(data.token);
    if (data.type === "wrong") waiting.shift()?.reject(new Error(data.text));
  });
  payByFields({
    mount: (place, settings) =>
      new Promise((resolve, reject) => {
        frame = document.createElement("iframe");
        frame.title = place.dataset.label;
        frame.src = settings.frame;
        frame.setAttribute("sandbox", "allow-scripts");
        frame.style.cssText = "border:0;inline-size:100%;block-size:12rem;color-scheme:inherit";
        const late = setTimeout(() => reject(new Error("no frame")), 8000);
        addEventListener("message", function ready({ source, data }) {
          if (source !== frame.contentWindow || data.type !== "ready") return;
          removeEventListener("message", ready);
          clearTimeout(late);
          resolve();
        });
        place.append(frame);
      }),
    async pay(send) {
      const token = await new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        frame.contentWindow.postMessage({ type: "tokenise" }, "*");
      });
      return send(token);
    },
    focus() {
      frame.focus();
      frame.contentWindow.postMessage({ type: "focus" }, "*");
    },
  });
})();
