"""What the tests of orders and payments share: a cart ready to order, and a provider that does as it is told."""

import itertools
from collections import Counter
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.db import connection, models
from django.db.models.functions import Length
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from backoffice.words import CODES
from cart.models import Cart, CartLine
from catalogue.models import Product, Variant
from config.shop import HOME, SHOP, market
from delivery.methods import options
from orders.models import Order
from orders.placing import place
from payments.facts import CaptureAnswer, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.models import Capture, PaymentAttempt, Refund

CURRENCY = market(HOME)["currency"]
# One method of each way to pay, so that these tests say the same in every shop, whatever its specification offers.
METHODS: list[dict[str, Any]] = [
    {"id": "card", "kind": "card", "provider": "scripted", "name": {}},
    {"id": "wallet", "kind": "wallet", "provider": "scripted", "name": {}},
    {"id": "transfer", "kind": "bank-transfer", "iban": "FR7630006000011234567890189", "days_to_pay": 7, "name": {}},
    {"id": "cheque", "kind": "cheque", "name": {}},
    {"id": "invoice", "kind": "invoice", "terms_days": 30, "name": {}},
    {"id": "po", "kind": "purchase-order", "name": {}},
    {"id": "cod", "kind": "cash-on-delivery", "name": {}},
    {"id": "pickup", "kind": "cash-at-pickup", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "scripted", "capture": "at-shipping", "name": {}},
    {"id": "reserved-whole", "kind": "pay-later", "provider": "scripted", "capture": "at-shipping", "name": {}},
    {"id": "debit", "kind": "sepa-debit", "provider": "scripted", "name": {}},
]
# Ways of delivery of every kind but digital ones, for the same reason: to the door, and collected in one of two stores.
STORES: list[dict[str, Any]] = [
    {"id": name, "name": name.title(), "address": {"street": "1 Rue", "postcode": "59000", "city": name.title()}}
    for name in ("east", "west")
]
WAYS: list[dict[str, Any]] = [
    {"id": "door", "kind": "home", "name": {}, "days": [2, 3], "price": {CURRENCY: 590}},
    {"id": "collect", "kind": "click-and-collect", "name": {}, "days": [0, 1], "price": {}, "stores": STORES},
]
_numbers = itertools.count(1)


def a_variant(*, stock: int | None = 10, amount: int = 4200) -> Variant:
    number = next(_numbers)
    tax = next(iter(market(HOME)["tax"]))
    product = Product.objects.create(handle=f"thing-{number}", title={"en": f"Thing {number}"}, tax=tax)
    return Variant.objects.create(
        product=product,
        sku=f"T-{number}",
        stock=stock,
        prices={CURRENCY: {"amount": amount, "was": None, "prior": None}},
    )


def a_cart(
    variant: Variant | None = None, *, quantity: int = 1, method: str = "card", email: str = "buyer@example.com"
) -> Cart:
    from catalogue.prices import price

    variant = variant or a_variant()
    cart = Cart.objects.create(market=HOME, language=SHOP["shop"]["languages"][0], currency=CURRENCY)
    CartLine.objects.create(
        cart=cart,
        variant=variant,
        sku=variant.sku,
        title=variant.product.title,
        quantity=quantity,
        unit_amount=price(variant, HOME).amount,
    )
    way = options(cart, HOME, timezone.now())[0]
    address = {"country": HOME, "name": "Ada Byron", "street": "1 Main Street", "postcode": "59000", "city": "Lille"}
    cart.data = {
        "contact": {"email": email, "phone": "", "as": "guest"},
        "delivery": {"address": address, "method": way.id, "store": way.stores[0].id if way.stores else ""},
        "payment": {"method": method, "billing_same": True, "billing": address},
    }
    cart.save()
    return cart


def an_order(variant: Variant | None = None, *, quantity: int = 1, method: str = "card", **contact: str) -> Order:
    return place(a_cart(variant, quantity=quantity, method=method, **contact), now=timezone.now())


class Scripted:
    """A provider with a ledger of its own.

    `script` holds what the next calls do: "down-before", "down-after", a failure code to decline with, or "" to work.
    """

    def __init__(self) -> None:
        self.opened: dict[str, str] = {}  # attempt key -> reference
        self.state: dict[str, str] = {}  # attempt key -> fact kind
        self.taken: dict[str, int] = {}
        self.refunds: dict[str, int] = {}
        self.captures: dict[str, int] = {}
        self.voided: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.script: list[str] = []

    def _call(self, name: str, work: Any) -> Any:
        self.calls[name] += 1
        step = self.script.pop(0) if self.script else ""
        if step == "down-before":
            raise ProviderDown(step)
        if step not in ("", "down-after"):
            raise Declined(step)
        result = work()
        if step == "down-after":
            raise ProviderDown(step)
        return result

    def create(self, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
        def work() -> Created:
            ref = self.opened.setdefault(attempt.key, f"ref-{len(self.opened) + 1}")
            self.state.setdefault(attempt.key, "action_required")
            return Created(ref, f"https://provider.example/{ref}")

        return self._call("create", work)

    def fetch(self, attempt: PaymentAttempt) -> Fact:
        return self._call("fetch", lambda: self.fact(attempt, f"fetch:{attempt.key}:{self.state.get(attempt.key)}"))

    CAPTURES_IN_PARTS = ("card",)

    def capture(self, capture: Capture) -> CaptureAnswer:
        def work() -> CaptureAnswer:
            self.captures[capture.key] = capture.amount
            return CaptureAnswer(f"ca-{capture.key}", "done")

        return self._call("capture", work)

    def void(self, attempt: PaymentAttempt) -> None:
        def work() -> None:
            self.voided.add(attempt.key)
            if self.state.get(attempt.key) in ("action_required", "authorized"):
                self.state[attempt.key] = "cancelled"

        self._call("void", work)

    def refund(self, refund: Refund) -> RefundAnswer:
        def work() -> RefundAnswer:
            self.refunds[refund.key] = refund.amount
            return RefundAnswer(f"re-{refund.key}", "done")

        return self._call("refund", work)

    def parse_webhook(self, request: Any) -> list[Fact]:
        raise NotImplementedError

    # -- what the buyer and the bank do --

    def charge(self, attempt: PaymentAttempt, amount: int | None = None) -> None:
        self.state[attempt.key] = "captured"
        self.taken[attempt.key] = attempt.amount if amount is None else amount

    def reserve(self, attempt: PaymentAttempt) -> None:
        self.state[attempt.key] = "authorized"
        self.taken[attempt.key] = attempt.amount

    def fact(self, attempt: PaymentAttempt, event_id: str, kind: str = "", **values: Any) -> Fact:
        kind = kind or self.state.get(attempt.key, "unknown")
        values = {"amount": self.taken.get(attempt.key), "currency": attempt.currency} | values
        return Fact("scripted", event_id, kind, attempt.key, self.opened.get(attempt.key, ""), **values)


def _kept() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in ("orders", "payments", "mails")]


def _too_long(model: type[models.Model]) -> list[str]:
    """Texts longer than their column: SQLite keeps them without a word, PostgreSQL refuses the whole transaction."""
    columns = {each.name: each.max_length for each in model._meta.fields if isinstance(each, models.CharField)}
    rows = model._default_manager.annotate(**{f"length_of_{name}": Length(name) for name in columns})
    return [
        f"{model.__name__}.{name}: {value!r}"
        for name, most in columns.items()
        for value in rows.filter(**{f"length_of_{name}__gt": most}).values_list(name, flat=True)
    ]


def _wordless() -> list[str]:
    """Codes that the shop writes down and the back office has no word for."""
    names = ("mails.OutboxMail.kind", "orders.OrderEvent.kind", "payments.PaymentEvent.kind")
    held = {name: apps.get_model(name.rpartition(".")[0])._default_manager for name in names}
    return [
        f"{name}: {code!r}"
        for name, rows in held.items()
        for code in rows.order_by("kind").values_list("kind", flat=True).distinct()
        if code not in CODES[name]
    ]


class _Shopping:
    """Puts the scripted provider and known ways to pay and to deliver in the place of the shop's own ones."""

    def setUp(self) -> None:
        super().setUp()
        self.provider = Scripted()
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS),
            patch.dict(SHOP["delivery"], methods=WAYS),
            patch("payments.engine.adapter", lambda name: self.provider),
            patch("payments.captures.adapter", lambda name: self.provider),
            patch("payments.settlement.adapter", lambda name: self.provider),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)

    def tearDown(self) -> None:
        if not connection.needs_rollback:  # nothing can be asked then, and the test has failed already
            self.assertEqual([text for model in _kept() for text in _too_long(model)], [])
            self.assertEqual(_wordless(), [])
        super().tearDown()

    def assertState(self, order: Order, state: str) -> None:  # noqa: N802  as unittest names its own
        order.refresh_from_db()
        self.assertEqual(order.state, state)

    def assertStock(self, variant: Variant, stock: int) -> None:  # noqa: N802
        variant.refresh_from_db()
        self.assertEqual(variant.stock, stock)


class ShoppingTestCase(_Shopping, TestCase):
    pass


class ConcurrentShoppingTestCase(_Shopping, TransactionTestCase):
    """For tests with threads: every thread has its own connection, so nothing may hide in an open transaction."""
