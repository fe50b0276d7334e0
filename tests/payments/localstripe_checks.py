# ruff: noqa: I001, PT009, PT027  (it becomes a test of the shop, which follows the shop's rules)
"""Copied into a made shop and run there: the Stripe adapter against localstripe, which was not written here.

localstripe has no Checkout Sessions, so the buyer's page stays with the prepared answers; what it has is used for real:
payments, refunds, declined cards, and webhooks signed by somebody else.
"""

import json
import os
import time
import urllib.request
from types import SimpleNamespace
from unittest.mock import patch

import stripe
from django.test import LiveServerTestCase

from config.shop import SHOP
from orders.models import Order
from payments.facts import Declined
from payments.models import PaymentAttempt, PaymentEvent, Refund, SavedMethod
from payments.providers.stripe import adapter, saving

from .shopping import an_order

URL = os.environ["LOCALSTRIPE_URL"]
SECRET = "whsec_localstripe"


class LocalstripeTest(LiveServerTestCase):
    def setUp(self) -> None:
        http = stripe.RequestsClient(timeout=5)
        self.stripe = stripe.StripeClient(
            "sk_test_12345", base_addresses={"api": URL}, http_client=http, max_network_retries=0
        )
        methods = [{"id": "card", "kind": "card", "provider": "stripe", "name": {}}]
        options = {"stripe": {"webhook_secret": "env:LOCALSTRIPE_SECRET"}}
        for patcher in (
            patch.dict(SHOP["payment"], methods=methods, providers=options),
            patch.dict(os.environ, {"LOCALSTRIPE_SECRET": SECRET}),
            patch.object(adapter, "client", self.client_here),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def client_here(self) -> object:
        """localstripe's own client, with the page that led to the payment put in front."""
        session = SimpleNamespace(retrieve=lambda *args: SimpleNamespace(payment_intent=self.intent.id))
        checkout = SimpleNamespace(sessions=session)
        return SimpleNamespace(v1=SimpleNamespace(checkout=checkout, refunds=self.stripe.v1.refunds))

    def pay(self, card: str = "pm_card_visa", amount: int = 4200) -> None:
        intent = self.stripe.v1.payment_intents.create({"amount": amount, "currency": "eur", "payment_method": card})
        self.intent = adapter.call(lambda: self.stripe.v1.payment_intents.confirm(intent.id))

    def hear(self, secret: str) -> None:
        body = json.dumps({"url": self.live_server_url + "/webhooks/stripe/", "secret": secret}).encode()
        header = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{URL}/_config/webhooks/shop", body, header, method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def test_webhook_signed_by_somebody_else_is_understood(self) -> None:
        self.hear("whsec_another")
        self.stripe.v1.customers.create({"email": "ada@example.com"})
        time.sleep(1.5)
        self.assertFalse(PaymentEvent.objects.exists())
        self.hear(SECRET)
        self.stripe.v1.customers.create({"email": "ada@example.com"})
        deadline = time.monotonic() + 10
        while not PaymentEvent.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        event = PaymentEvent.objects.first()
        self.assertIsNotNone(event)
        self.assertEqual((event.provider, event.outcome), ("stripe", "unknown"))
        self.assertNotIn("ada@", json.dumps(event.payload))

    def test_refund_is_made_once_although_idempotency_keys_are_ignored_there(self) -> None:
        self.pay()
        order = an_order(method="card")
        Order.objects.filter(pk=order.pk).update(currency="EUR", total_amount=4200, state="confirmed")
        attempt = PaymentAttempt.objects.create(
            order=order,
            method="card",
            provider="stripe",
            provider_ref="cs_1",
            amount=4200,
            currency="EUR",
            state="captured",
        )
        row = Refund.objects.create(order=order, attempt=attempt, amount=1000)
        first, again = adapter.refund(row), adapter.refund(row)
        self.assertEqual(first.provider_ref, again.provider_ref)
        self.assertEqual(first.state, "done")
        made = self.stripe.v1.refunds.list({"payment_intent": self.intent.id}).to_dict()["data"]
        self.assertEqual([each["amount"] for each in made], [1000])

    def test_declined_card(self) -> None:
        card = {"number": "4000000000000002", "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        method = self.stripe.v1.payment_methods.create({"type": "card", "card": card})
        customer = self.stripe.v1.customers.create({"email": "ada@example.com"})
        with self.assertRaises(Declined) as refused:
            adapter.call(lambda: self.stripe.v1.payment_methods.attach(method.id, {"customer": customer.id}))
        self.assertEqual(refused.exception.code, "declined")

    def kept(self, number: str) -> tuple[PaymentAttempt, SavedMethod]:
        """A card attached to a customer of its own, and an order that is to be paid with it."""
        card = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        method = self.stripe.v1.payment_methods.create({"type": "card", "card": card})
        customer = self.stripe.v1.customers.create({"email": "ada@example.com"})
        self.stripe.v1.payment_methods.attach(method.id, {"customer": customer.id})
        order = an_order(method="card")
        Order.objects.filter(pk=order.pk).update(currency="EUR", total_amount=4200)
        terms = {"order": order, "method": "card", "provider": "stripe", "amount": 4200, "currency": "EUR"}
        first = PaymentAttempt.objects.create(**terms, state="failed")
        row = SavedMethod.objects.create(
            attempt=first, method="card", provider="stripe", token=method.id, customer=customer.id, state="saved"
        )
        intents = self.stripe.v1.payment_intents
        here = SimpleNamespace(  # localstripe knows no return_url
            create=intents.create,
            retrieve=lambda ref, params: intents.retrieve(ref),
            confirm=lambda ref, params, options: intents.confirm(ref, {}, options),
        )
        v1 = SimpleNamespace(payment_intents=here, customers=self.stripe.v1.customers)
        patcher = patch.object(adapter, "client", lambda: SimpleNamespace(v1=v1))
        patcher.start()
        self.addCleanup(patcher.stop)
        return PaymentAttempt.objects.create(**terms, saved=row), row

    def test_kept_card_is_charged_and_found_again_and_forgotten(self) -> None:
        attempt, row = self.kept("4242424242424242")
        created = saving.charge(attempt, "https://shop.example/return", "")
        self.assertEqual((created.redirect_url, created.known.kind, created.known.amount), ("", "captured", 4200))
        attempt.refresh_from_db()
        self.assertEqual(adapter.fetch(attempt).kind, "captured")
        saving.forget(row)
        with self.assertRaises(stripe.InvalidRequestError):
            self.stripe.v1.customers.retrieve(row.customer)

    def test_kept_card_that_the_bank_declines(self) -> None:
        attempt, _ = self.kept("4000000000000341")
        with self.assertRaises(Declined):
            saving.charge(attempt, "https://shop.example/return", "")

    def test_kept_card_that_the_bank_asks_about(self) -> None:
        attempt, _ = self.kept("4000002500003155")
        created = saving.charge(attempt, "https://shop.example/return", "")
        self.assertEqual(created.known.kind, "action_required")
        attempt.refresh_from_db()
        intent = self.stripe.v1.payment_intents.retrieve(attempt.provider_ref)
        self.authenticate(intent.id, intent.client_secret)
        self.assertEqual(adapter.fetch(attempt).kind, "captured")

    def authenticate(self, ref: str, secret: str) -> None:
        """What the bank's page does."""
        body = json.dumps({"client_secret": secret, "success": True, "key": "pk_test_1"}).encode()
        header = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{URL}/v1/payment_intents/{ref}/_authenticate", body, header, method="POST")
        urllib.request.urlopen(request, timeout=5).close()
