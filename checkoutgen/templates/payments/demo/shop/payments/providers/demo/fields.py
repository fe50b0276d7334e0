"""The demo provider's fields in the page of the shop: a frame of its own that turns a number into a token.

The frame is sandboxed, so that even here, where bank and shop share an address, no script of the shop can read what is
typed into it.
"""

from typing import Any

from django.core import signing
from django.urls import reverse

from orders.models import Order
from payments.facts import Created, Declined, ProviderDown
from payments.models import PaymentAttempt

from . import adapter, bank
from .cards import Account, find
from .models import DemoPayment

SALT = "demo provider token"
LIFE = 15 * 60  # seconds that a token is good for
State = DemoPayment.State


def places(currency: str) -> dict[str, str]:
    """The inventory has no addresses to fill in: the frame comes from the shop's own process."""
    return {}


def settings(order: Order, method: dict[str, Any]) -> dict[str, Any]:
    return {"frame": f"{reverse('demo:frame')}?kind={method['kind']}&language={order.language}"}


def tokenise(account: Account) -> str:
    """What stands for an account: good for some minutes, and worth nothing to anybody but the bank."""
    return signing.dumps(account.number, salt=SALT)


def create(typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    opened = adapter.create(attempt, return_url, webhook_url)
    payment = DemoPayment.objects.get(ref=opened.provider_ref)
    try:
        account = find(payment.kind, signing.loads(typed, salt=SALT, max_age=LIFE), reserving=payment.capture_later)
    except signing.BadSignature:
        account = None
    if account is None:
        raise Declined("expired")
    payment = bank.call(lambda: bank.pay(payment.ref, account))
    bank.deliver_soon()
    if payment.state == State.DECLINED:
        raise Declined(payment.failure)
    if payment.scenario == "lost":
        raise ProviderDown("the answer was lost")
    challenge = opened.redirect_url.rstrip("/") + "/challenge/" if payment.state == State.CHALLENGE else ""
    return Created(payment.ref, challenge)
