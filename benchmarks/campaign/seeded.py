# ruff: noqa: ARG005, SLF001  bugs reach into what they break
"""Bugs for the checker to find, planted into a shop by SEEDED_BUG: each is a mistake that real shops have made."""

import os
import random
import secrets
import time
from collections.abc import Callable

from django.apps import AppConfig
from django.contrib.auth.hashers import PBKDF2PasswordHasher

BUGS: dict[str, Callable[[], None]] = {}


def bug(plant: Callable[[], None]) -> Callable[[], None]:
    BUGS[plant.__name__.replace("_", "-")] = plant
    return plant


class SeededConfig(AppConfig):
    name = "custom.seeded"

    def ready(self) -> None:
        PBKDF2PasswordHasher.iterations = 1  # half a second of arithmetic for each account finds no mistake
        if name := os.environ["SEEDED_BUG"]:
            BUGS[name]()


@bug
def no_idempotency_key() -> None:
    """Every call to the provider gets a new key."""
    from payments.providers.demo import adapter, bank

    opened = bank.open_payment
    adapter.bank.open_payment = lambda key, **terms: opened(secrets.token_hex(16), **terms)


@bug
def check_then_act_stock() -> None:
    """Stock is read first and written as a number later, after the order is committed."""
    from catalogue.models import Variant
    from django.db import transaction
    from orders import lifecycle, placing

    def take(wanted: dict[int, int]) -> bool:
        read = dict(Variant.objects.filter(pk__in=wanted).values_list("pk", "stock"))
        if any(read[pk] < quantity for pk, quantity in wanted.items()):
            return False

        def write() -> None:
            time.sleep(0.05)
            for pk, quantity in wanted.items():
                Variant.objects.filter(pk=pk).update(stock=read[pk] - quantity)

        transaction.on_commit(write)
        return True

    placing.lifecycle.take_stock = lifecycle.take_stock = take


@bug
def events_not_counted_once() -> None:
    """A webhook that comes twice is taken in twice."""
    from dataclasses import replace

    from payments import engine, views

    engine.ATTEMPT_MOVES["captured"] = ("reversed", "captured")
    apply = engine.apply
    views.engine.apply = engine.apply = lambda fact: apply(
        replace(fact, event_id=f"{fact.event_id[:150]}-{secrets.token_hex(6)}")
    )


@bug
def mail_by_on_commit() -> None:
    """The mail is queued after the commit of what it reports, so a kill in between loses it."""
    from django.db import transaction
    from mails import outbox
    from orders import lifecycle

    enqueue = outbox.enqueue

    def later(*args: object, **values: object) -> None:
        def write() -> None:
            time.sleep(2)  # long enough to be killed in, on a slow machine too
            enqueue(*args, **values)

        transaction.on_commit(write)

    lifecycle.enqueue = later


@bug
def amount_not_compared() -> None:
    """Whatever was charged counts as the whole amount."""
    from dataclasses import replace

    from payments import engine, views
    from payments.models import PaymentAttempt

    apply = engine.apply

    def trusting(fact):
        attempt = PaymentAttempt.objects.filter(key=fact.attempt_key).first()
        if attempt and fact.kind == "captured":
            fact = replace(fact, amount=attempt.amount, currency=attempt.currency)
        return apply(fact)

    views.engine.apply = engine.apply = trusting


@bug
def late_payment_ignored() -> None:
    """Money for an order that was let go is not looked at."""
    from payments import engine

    money_came = engine._money_came

    def ignoring(order, attempt, fact):
        return "applied" if order.state in ("expired", "cancelled") else money_came(order, attempt, fact)

    engine._money_came = ignoring


@bug
def expiry_keeps_the_stock() -> None:
    from payments import engine

    engine.lifecycle.give_back_stock = lambda order: order.lines.update(stock_taken=0)


@bug
def no_reconciler() -> None:
    """Nobody asks the provider, not even before an order is let go."""
    from payments import engine

    engine.reconcile_due = lambda *args: 0
    engine.learn = lambda attempt, source: ""


@bug
def paid_twice_is_kept() -> None:
    """A second charge, or one for a cancelled order, is not given back."""
    from payments import engine

    engine._give_back = lambda *args: None


@bug
def signature_not_checked() -> None:
    from payments.providers.demo import adapter

    adapter.hmac.compare_digest = lambda one, other: True


@bug
def new_message_id_each_time() -> None:
    from mails import sending

    compose = sending.compose

    def renamed(row):
        mail = compose(row)
        mail.extra_headers["Message-ID"] = f"<{secrets.token_hex(8)}@shop.example>"
        return mail

    sending.compose = renamed


@bug
def confirmation_before_payment() -> None:
    """The buyer is told that the order stands as soon as the button is pressed."""
    from orders import lifecycle, placing

    record = lifecycle.record

    def early(order, kind, **values):
        record(order, kind, **values)
        if kind == "placed":
            lifecycle.mail_buyer(order, "order-confirmation")

    placing.lifecycle.record = lifecycle.record = early


@bug
def numbers_at_random() -> None:
    from orders import placing

    placing.next_number = lambda now: f"ML-2026-{random.randrange(10**6):06d}"


@bug
def order_not_tied_to_its_cart() -> None:
    """A double click makes two orders."""
    from cart.models import Cart
    from checkout import views
    from django.db import transaction
    from orders import placing

    def place(cart, *, now, seen_total=None):
        with transaction.atomic():
            order = placing._freeze(Cart.objects.get(pk=cart.pk), now, seen_total)
            if order is None:
                raise placing.CartChanged([])
            order.cart = None
            order.save()
            return order

    views.place = place


@bug
def refund_without_key() -> None:
    from payments.providers.demo import adapter, bank

    refund = bank.refund
    adapter.bank.refund = lambda key, payment_key, amount: refund(secrets.token_hex(16), payment_key, amount)


@bug
def coupon_counted_without_lock() -> None:
    """The limit of a coupon is checked when it is typed, not when it is used."""
    from cart import coupons

    coupons._used = lambda entry, cart: ""


@bug
def collection_without_key() -> None:
    from payments.providers.demo import adapter, bank

    capture = bank.capture
    adapter.bank.capture = lambda key, payment_key, amount: capture(secrets.token_hex(16), payment_key, amount)


@bug
def parcel_before_its_collection() -> None:
    """What a parcel makes due is written down after the parcel, so a kill in between gives the goods away."""
    from django.db import transaction
    from payments import captures, methods

    owe = captures.owe

    def later(order, fulfilment, *, last):
        def write() -> None:
            time.sleep(3)
            owe(order, fulfilment, last=last)

        if methods.captured_at_shipping(order.payment_method):
            transaction.on_commit(write)

    captures.owe = later


@bug
def reservation_not_let_go() -> None:
    """A cancelled order keeps the buyer's money reserved."""
    from payments.providers.demo import adapter

    adapter.void = lambda attempt: None


@bug
def removed_card_is_only_hidden() -> None:
    """Removing a card takes it off the list in the account; a form that still names it pays."""
    from accounts import cards
    from payments import saved

    saved.remove = lambda rows: 0
    cards.vault.forget = lambda row: True


@bug
def card_of_anybody() -> None:
    """A kept card is looked up by its key alone."""
    from payments import saved
    from payments.models import SavedMethod

    saved.of = lambda user: list(SavedMethod.objects.filter(state="saved"))
    saved.may_pay = lambda card, order, method: True


@bug
def consent_not_kept() -> None:
    """Only that a box was ticked is remembered, not what stood beside it."""
    from payments import saved

    consent = saved.consent
    saved.box = lambda method, user, *, ticked=False: dict(
        zip(("label", "sentence"), consent(method, user), strict=True),
        name=f"payment-save-{method['id']}",
        ticked=ticked,
    )
    saved.consent = lambda method, user: ("yes", "")


@bug
def every_card_is_kept() -> None:
    """The provider is told to keep each card, whether its owner agreed or not."""
    from payments import saved

    saved.asked = lambda attempt: attempt
