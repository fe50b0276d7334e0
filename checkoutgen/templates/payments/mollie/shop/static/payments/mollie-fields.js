// Mollie Components: https://docs.mollie.com/reference/mollie-object
"use strict";
(() => {
  let mollie;
  payByFields({
    mount(place, settings) {
      mollie = Mollie(settings.profile, { locale: settings.locale, testmode: settings.test });
      for (const [type, label] of Object.entries(settings.labels)) {
        const [field, error] = payByFields.row(place, label);
        const component = mollie.createComponent(type);
        component.mount(field);
        component.addEventListener("change", (event) => (error.textContent = event.touched ? (event.error ?? "") : ""));
      }
    },
    async pay(send) {
      const { token, error } = await mollie.createToken();
      if (error) throw error;
      return send(token);
    },
  });
})();
