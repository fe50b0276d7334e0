// Payplug's integrated payment: https://docs.payplug.com/integratedref.html
"use strict";
(() => {
  let payment, brands, wrong;
  let judged = () => {};
  let done = () => {};
  payByFields({
    mount(place, settings) {
      ({ wrong } = settings);
      payment = new Payplug.IntegratedPayment(settings.test);
      for (const [type, label] of Object.entries(settings.labels)) payment[type](payByFields.row(place, label)[0]);
      const choice = document.createElement("fieldset");
      choice.append(Object.assign(document.createElement("legend"), { textContent: settings.brand }));
      brands = payment.getSupportedSchemes().map(({ id, name }, index) => {
        const label = Object.assign(document.createElement("label"), { className: "ch" });
        const radio = Object.assign(document.createElement("input"), { type: "radio", name: "brand", value: id });
        radio.checked = index === 0;
        label.append(radio, ` ${name}`);
        choice.append(label);
        return { id, radio };
      });
      if (brands.length > 1) place.append(choice);
      payment.onValidateForm(({ isFormValid }) => judged(isFormValid));
      payment.onCompleted((event) => done(event));
    },
    async pay(send) {
      const valid = await new Promise((resolve) => {
        judged = resolve;
        payment.validateForm();
      });
      if (!valid) throw new Error(wrong);
      const answer = await send("");
      const chosen = brands.find(({ radio }) => radio.checked) ?? { id: 0 };
      await new Promise((resolve) => {
        done = resolve;
        payment.pay(answer.browser.ref, chosen.id, { save_card: false });
      });
      return answer; // how it ended is asked from Payplug by the shop
    },
  });
})();
