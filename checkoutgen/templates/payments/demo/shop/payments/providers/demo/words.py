"""What the books of the demo provider are called in the back office, beside what all fields of the shop are."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.words import CODES, FAILURES, PAYMENT_EVENTS, Words, name_fields

from . import cards
from .models import DemoCapture, DemoEvent, DemoPayment, DemoRefund, DemoToken

MODELS = {
    DemoPayment: (_("demo payment"), _("demo payments")),
    DemoCapture: (_("collection of money"), _("collections of money")),
    DemoRefund: (_("refund"), _("refunds")),
    DemoEvent: (_("message to the shop"), _("messages to the shop")),
    DemoToken: (_("saved way to pay"), _("saved ways to pay")),
}

FIELDS: Words = {
    "account": _("end of the number"),
    "answer": _("answer of the shop"),
    "capture_later": _("collected at shipping"),
    "keep": _("to be saved"),
    "payment": _("demo payment"),
    "ref": _("reference of the provider"),
    "reference": _("order"),
    "return_url": _("buyer’s way back"),
    "scenario": _("scenario"),
    "taken": _("amount taken"),
    "token": _("saved way to pay"),
    "trick": _("disturbance"),
    "webhook_url": _("address for messages"),
}

STATES: Words = {
    **{code: PAYMENT_EVENTS[code] for code in ("authorized", "cancelled", "expired", "reversed")},
    "open": _("Begun"),
    "challenge": _("Waiting for the buyer"),
    "processing": _("On its way"),
    "paid": _("Paid"),
    "declined": _("Failed"),
}

SCENARIOS: Words = {each.scenario: each.says for each in (*cards.IBANS, *cards.CARDS, *cards.RESERVING)}


def give(named: Iterable[type[models.Model]]) -> None:
    for model in named:
        model._meta.verbose_name, model._meta.verbose_name_plural = MODELS[model]
        name_fields([model], FIELDS)
    CODES["demo.DemoPayment.failure"] = FAILURES
    CODES["demo.DemoPayment.scenario"] = SCENARIOS
    CODES["demo.DemoPayment.state"] = STATES
