"""Cards that Stripe keeps for a buyer's next purchase (https://docs.stripe.com/payments/save-during-payment)."""

from collections.abc import Callable
from typing import Any, TypeVar

import stripe

from payments.facts import Created, Declined, Token
from payments.methods import captured_at_shipping
from payments.models import PaymentAttempt, SavedMethod
from payments.units import rescale

from . import adapter

NAME = "Stripe"
T = TypeVar("T")
BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "CB",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def save(attempt: PaymentAttempt) -> Token | None:
    expand: Any = {"expand": ["payment_intent.payment_method"]}
    session = adapter.call(
        lambda: adapter.client().v1.checkout.sessions.retrieve(attempt.provider_ref, expand)
    ).to_dict()
    used = (session.get("payment_intent") or {}).get("payment_method") or {}
    card = used.get("card")
    if not card or not used.get("customer"):  # not kept, whatever was asked for
        return None
    return Token(
        token=used["id"],
        brand=BRANDS.get(card.get("brand") or "", (card.get("brand") or "").title()),
        last4=card.get("last4") or "",
        exp_year=card.get("exp_year"),
        exp_month=card.get("exp_month"),
        customer=used["customer"],
    )


def charge(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    """In two steps, so that the payment can be found again when the answer about the money is lost."""
    kept = attempt.saved
    if kept is None:
        raise Declined("token_gone")
    params: Any = {
        "amount": rescale(attempt.amount, attempt.currency, adapter.digits(attempt.currency)),
        "currency": attempt.currency.lower(),
        "customer": kept.customer,
        "payment_method": kept.token,
        "payment_method_types": ["card"],
        "metadata": {"attempt": attempt.key, "order": attempt.order.number},
    }
    if captured_at_shipping(attempt.method):
        params["capture_method"] = "manual"
    intents = adapter.client().v1.payment_intents
    made = _with_token(lambda: intents.create(params, {"idempotency_key": attempt.key}))
    PaymentAttempt.objects.filter(pk=attempt.pk).update(provider_ref=made.id)
    # Not off_session: the buyer is there, and can be sent to their bank.
    there: Any = {"return_url": return_url}
    key: Any = {"idempotency_key": f"{attempt.key}-confirm"}
    intent = _with_token(lambda: intents.confirm(made.id, there, key)).to_dict()
    action = intent.get("next_action") or {}
    page = (action.get("redirect_to_url") or {}).get("url") or ""
    if page:
        return Created(made.id, page)
    return Created(made.id, known=adapter.of_intent(intent, attempt, f"charge:{attempt.key}:{intent.get('status')}"))


def _with_token(work: Callable[[], T]) -> T:
    """Stripe refuses a card that it does not keep any more as a wrong request."""

    def checked() -> T:
        try:
            return work()
        except stripe.InvalidRequestError as wrong:
            if wrong.param in ("payment_method", "customer") or wrong.code == "payment_method_unexpected_state":
                raise Declined("token_gone") from None
            raise

    return adapter.call(checked)


def forget(saved: SavedMethod) -> None:
    """The customer was made for this card alone: deleting it detaches the card."""

    def delete() -> None:
        try:
            if saved.customer:
                adapter.client().v1.customers.delete(saved.customer)
            else:
                adapter.client().v1.payment_methods.detach(saved.token)
        except stripe.InvalidRequestError as wrong:
            if wrong.code != "resource_missing":
                raise

    adapter.call(delete)
