// Stripe's Express Checkout Element: https://docs.stripe.com/js/element/express_checkout_element
"use strict";
(() => {
  const form = document.getElementById("wallet");
  const error = document.getElementById("wallet-error");
  const settings = JSON.parse(form.dataset.settings);
  const say = (text) => {
    error.textContent = text;
    if (text) error.focus();
  };
  let option = "";
  const quote = async (country) => {
    const body = JSON.stringify({ country, option });
    const answer = await fetch(settings.quote, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return answer.ok ? answer.json() : null;
  };

  const stripe = Stripe(settings.key, { locale: settings.locale });
  const elements = stripe.elements({
    mode: "payment",
    amount: settings.amount,
    currency: settings.currency,
    paymentMethodTypes: ["card"],
  });
  const element = elements.create("expressCheckout", {
    emailRequired: true,
    shippingAddressRequired: true,
    allowedShippingCountries: settings.countries,
    shippingRates: [{ id: "later", displayName: "…", amount: 0 }],
    business: { name: settings.name },
  });
  let country = "";
  element.on("ready", ({ availablePaymentMethods }) => {
    if (!availablePaymentMethods) say(form.dataset.none);
  });
  const change = async (event) => {
    const answer = await quote(country);
    if (!answer) return event.reject();
    elements.update({ amount: answer.amount });
    event.resolve({ shippingRates: answer.shippingRates });
  };
  element.on("shippingaddresschange", (event) => {
    country = event.address.country;
    return change(event);
  });
  element.on("shippingratechange", (event) => {
    option = event.shippingRate.id;
    return change(event);
  });
  element.on("confirm", async (event) => {
    const { error: wrong } = await elements.submit();
    const { error: refused, confirmationToken } = wrong ? { error: wrong } : await stripe.createConfirmationToken({ elements });
    if (refused) return say(refused.message);
    option = event.shippingRate?.id ?? option;
    const typed = JSON.stringify({ token: confirmationToken.id, option });
    const body = new URLSearchParams([...new FormData(form), ["typed", typed]]);
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
      location.assign((await answer.json()).go);
    } catch {
      say(form.dataset.lost);
    }
  });
  element.mount("#wallet-place");
})();
