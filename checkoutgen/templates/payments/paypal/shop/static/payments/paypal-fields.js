// PayPal's card fields: https://developer.paypal.com/sdk/js/reference/#card-fields
"use strict";
(() => {
  let cards, answer, ask, wrong;
  payByFields({
    async mount(place, settings) {
      ({ wrong } = settings);
      let refused;
      cards = paypal.CardFields({
        createOrder: async () => (answer = await ask("")).browser.ref,
        onApprove: () => {},
        onError: (problem) => (refused = problem),
      });
      if (!cards.isEligible()) throw new Error("not eligible");
      for (const [type, label] of Object.entries(settings.labels))
        await cards[type]().render(payByFields.row(place, label)[0]);
      if (refused) throw refused;
    },
    async pay(send) {
      const { isFormValid } = await cards.getState();
      if (!isFormValid) throw new Error(wrong);
      let problem;
      ask = (typed) =>
        send(typed).catch((said) => {
          problem = said; // in the shop's words, not in those of PayPal's script
          throw said;
        });
      try {
        await cards.submit();
      } catch (said) {
        throw problem ?? (said instanceof Error && answer ? said : new Error(wrong));
      }
      return answer; // how it ended is asked from PayPal by the shop
    },
  });
})();
