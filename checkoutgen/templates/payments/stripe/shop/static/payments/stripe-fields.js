// Stripe's Payment Element: https://docs.stripe.com/js/element/payment_element
"use strict";
(() => {
  let stripe, elements, element, person;
  payByFields({
    mount: (place, settings) =>
      new Promise((resolve, reject) => {
        ({ person } = settings);
        stripe = Stripe(settings.key, { locale: settings.locale });
        elements = stripe.elements({
          mode: "payment",
          amount: settings.amount,
          currency: settings.currency,
          captureMethod: settings.capture,
          paymentMethodTypes: settings.types,
        });
        element = elements.create("payment", {
          defaultValues: { billingDetails: person },
          fields: { billingDetails: { name: "never", email: "never", address: "never" } },
        });
        element.on("ready", resolve);
        element.on("loaderror", ({ error }) => reject(error));
        element.mount(place);
      }),
    async pay(send) {
      const { error: wrong } = await elements.submit();
      if (wrong) throw wrong;
      const { error, confirmationToken } = await stripe.createConfirmationToken({
        elements,
        params: { payment_method_data: { billing_details: person } },
      });
      if (error) throw error;
      const answer = await send(confirmationToken.id);
      if (answer.browser?.secret) await stripe.handleNextAction({ clientSecret: answer.browser.secret });
      return answer; // how it ended is asked from Stripe by the shop
    },
    focus: () => element.focus(),
  });
})();
