"""Cards that Payplug keeps for a buyer's next purchase (https://docs.payplug.com/guide-savecard-en.html)."""

from collections.abc import Callable
from typing import Any

from payplug import exceptions
from payplug.network import HttpClient

from payments.facts import Created, Declined, ProviderDown, Token
from payments.models import PaymentAttempt, SavedMethod

from . import adapter

NAME = "Payplug"


def save(attempt: PaymentAttempt) -> Token | None:
    payment: dict[str, Any] = adapter.call(lambda client: client.get(adapter.address(attempt.provider_ref)))
    card = payment.get("card") or {}
    if not card.get("id"):
        return None
    return Token(
        token=card["id"],
        brand=card.get("brand") or "",
        last4=card.get("last4") or "",
        exp_year=card.get("exp_year"),
        exp_month=card.get("exp_month"),
    )


def charge(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    """Asked for once: Payplug has no idempotency keys, so what was asked for and got no answer is searched for."""
    token = attempt.saved.token if attempt.saved else ""
    if not token:
        raise Declined("token_gone")
    first = PaymentAttempt.objects.filter(pk=attempt.pk, provider_ref="").update(provider_ref=adapter.ASKED)
    if first:
        more = {"payment_method": token, "initiator": "PAYER"}
        payment = adapter.open_payment(attempt, return_url, webhook_url, more, call=_with_card)
    else:
        payment = adapter.find(attempt) or {}
    if not payment:
        raise ProviderDown("asked for, and not found")
    known = adapter.fact(attempt, payment)
    if known.kind == "action_required":  # Payplug's page leads on to the bank
        return Created(payment["id"], adapter.page(payment))
    return Created(payment["id"], known=known)


def _with_card(work: Callable[[HttpClient], tuple[Any, int]]) -> Any:
    """Payplug refuses a card that it does not keep any more as a wrong request."""

    def checked(client: HttpClient) -> tuple[Any, int]:
        try:
            return work(client)
        except (exceptions.BadRequest, exceptions.NotFound) as refused:
            if "payment_method" in str(refused):
                raise Declined("token_gone") from None
            raise

    return adapter.call(checked)


def forget(saved: SavedMethod) -> None:
    """The address is the one of Payplug's PHP library; the Python one only knows cards of customers."""

    def delete(client: HttpClient) -> tuple[Any, int]:
        try:
            return client.delete(f"{adapter.BASE_URL}/v1/cards/{saved.token}")
        except exceptions.NotFound:
            return None, 404

    adapter.call(delete)
