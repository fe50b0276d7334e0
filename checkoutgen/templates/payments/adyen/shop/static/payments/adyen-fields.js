// Adyen's Card component: https://docs.adyen.com/payment-methods/cards/web-component
"use strict";
(() => {
  let card, wrong;
  payByFields({
    async mount(place, settings) {
      ({ wrong } = settings);
      const { AdyenCheckout, Card } = window.AdyenWeb;
      const checkout = await AdyenCheckout({
        clientKey: settings.key,
        environment: settings.environment,
        countryCode: settings.country,
        locale: settings.locale,
        amount: settings.amount,
        analytics: { enabled: false },
      });
      card = new Card(checkout, { hasHolderName: true, holderNameRequired: true, showPayButton: false }).mount(place);
    },
    async pay(send) {
      if (!card.isValid) {
        card.showValidation();
        throw new Error(wrong);
      }
      const { paymentMethod, browserInfo } = card.data;
      return send(JSON.stringify({ card: paymentMethod, browser: browserInfo }));
    },
  });
})();
