"""What the demo provider keeps for a buyer's next purchase."""

from payments.facts import Created, Token
from payments.models import PaymentAttempt, SavedMethod

from . import adapter, bank
from .models import DemoPayment

NAME = "Demo Pay"
State = DemoPayment.State


def save(attempt: PaymentAttempt) -> Token | None:
    made = DemoPayment.objects.filter(key=attempt.key, keep=True, state__in=(State.PAID, State.AUTHORIZED))
    payment = bank.call(lambda: made.select_related("token").first())
    token = payment.token if payment else None
    if token is None:
        return None
    return Token(token.ref, token.brand, token.last4, token.exp_year, token.exp_month)


def charge(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    terms = adapter.terms(attempt, return_url, webhook_url)
    token = attempt.saved.token if attempt.saved else ""
    payment = bank.call(lambda: bank.charge(attempt.key, token, **terms))
    bank.deliver_soon()
    if payment.state == State.CHALLENGE:
        return Created(payment.ref, adapter.page(payment, "challenge"))
    return Created(payment.ref, known=adapter.fact(attempt, payment))


def forget(saved: SavedMethod) -> None:
    bank.call(lambda: bank.forget(saved.token))
