"""Cards that Stripe keeps for a buyer's next purchase (https://docs.stripe.com/payments/save-during-payment)."""

from collections.abc import Callable
from typing import Any, TypeVar

import stripe

from payments.facts import Created, Declined, Fact, Token
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
    return _kept((session.get("payment_intent") or {}).get("payment_method") or {})


def _kept(used: dict[str, Any]) -> Token | None:
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


def updated(token: str, event_id: str) -> Fact:
    """A card that the bank renewed, or that was changed on Stripe's pages
    (https://support.stripe.com/questions/how-can-i-see-cards-updated-automatically-via-card-updater). Events come in
    any order, so Stripe is asked how the card stands now; a card of somebody else is not asked for."""
    if not token or not SavedMethod.objects.filter(provider="stripe", token=token).exists():
        return Fact("stripe", event_id, "unknown")
    found = _unless_missing(lambda: adapter.client().v1.payment_methods.retrieve(token))
    card = _kept(found.to_dict()) if found else None
    kind = "token_updated" if card else "token_gone"
    return Fact("stripe", event_id, kind, token=token, kept=card)


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

    if saved.customer:
        _unless_missing(lambda: adapter.client().v1.customers.delete(saved.customer))
    else:
        _unless_missing(lambda: adapter.client().v1.payment_methods.detach(saved.token))


def _unless_missing(work: Callable[[], T]) -> T | None:
    def checked() -> T | None:
        try:
            return work()
        except stripe.InvalidRequestError as wrong:
            if wrong.code != "resource_missing":
                raise
            return None

    return adapter.call(checked)
