"""Stripe Checkout: the buyer pays on Stripe's page (https://docs.stripe.com/payments/checkout)."""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import stripe
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest

from config.shop import SHOP
from payments import saved
from payments.credentials import secret
from payments.facts import BadWebhook, CaptureAnswer, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import captured_at_shipping, in_page, method
from payments.models import Capture, PaymentAttempt, Refund, SavedMethod
from payments.units import rescale, unscale

from . import saving

logger = logging.getLogger(__name__)
logging.getLogger("stripe").setLevel(logging.WARNING)  # below that it writes down what buyers entered
T = TypeVar("T")
TIMEOUT = 20  # seconds
REPLAY_WINDOW = 300  # seconds
TYPES = {
    "card": "card",
    "wallet": "card",  # Apple Pay, Google Pay and Link come with cards
    "paypal": "paypal",
    "pay-later": "klarna",
    "instalments": "klarna",
    "ideal": "ideal",
    "bancontact": "bancontact",
    "swish": "swish",
    "twint": "twint",
    "sepa-debit": "sepa_debit",
}
# https://docs.stripe.com/currencies: whole units, or thousandths; all others are counted in hundredths.
ZERO_DIGITS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DIGITS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
LANGUAGES = frozenset([
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it", "ja", "ko",
    "lt", "lv", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "zh",
])  # fmt: skip
# Minutes that a payment page stays open. Stripe allows 30 to 1,440 from the moment of the call, and a call that got no
# answer may be repeated long after the first with the same parameters.
OPEN_MINUTES = 23 * 60
RESERVED_DAYS = 7  # https://docs.stripe.com/payments/place-a-hold-on-a-payment-method: at least so long, online
# https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes
FAILURES = {
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_required": "authentication_failed",
    "payment_intent_authentication_failure": "authentication_failed",
    "payment_intent_payment_attempt_expired": "expired",
    "customer_abandoned": "cancelled",
    "payment_method_not_available": "method_unavailable",
}


def client() -> stripe.StripeClient:
    """STRIPE_API_BASE leads to a pretended Stripe, in development only."""
    base = os.environ.get("STRIPE_API_BASE") if settings.DEVELOPMENT else None
    return stripe.StripeClient(
        secret("stripe", "secret_key"),
        base_addresses={"api": base} if base else {},
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
        max_network_retries=0,
    )


def call(work: Callable[[], T]) -> T:
    """Stripe's errors in the engine's words: nobody knows, or a definite no."""
    try:
        return work()
    except stripe.CardError as refused:
        reason = getattr(refused.error, "decline_code", None) or refused.code
        raise Declined(FAILURES.get(reason or "", "declined")) from None
    except (
        stripe.InvalidRequestError,
        stripe.AuthenticationError,
        stripe.PermissionError,
        stripe.IdempotencyError,  # the key was used with other parameters: the shop was changed between two calls
    ) as wrong:
        logger.error("stripe refused a request: %s %s", type(wrong).__name__, wrong.code)
        raise Declined("method_unavailable") from None
    except stripe.StripeError as failed:  # no connection, 5xx, too many requests, the same key still being worked on
        raise ProviderDown(type(failed).__name__) from None


def digits(currency: str) -> int:
    return 0 if currency in ZERO_DIGITS else 3 if currency in THREE_DIGITS else 2


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    order = attempt.order
    language = order.language.split("-")[0]
    params: dict[str, Any] = {
        "mode": "payment",
        "payment_method_types": [TYPES[(method(attempt.method) or {"kind": "card"})["kind"]]],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": attempt.currency.lower(),
                    "unit_amount": rescale(attempt.amount, attempt.currency, digits(attempt.currency)),
                    "product_data": {"name": f"{SHOP['shop']['name']} {order.number}"},
                },
            }
        ],
        "client_reference_id": attempt.key,
        "payment_intent_data": {"metadata": {"attempt": attempt.key, "order": order.number}},
        "customer_email": order.email,
        "locale": language if language in LANGUAGES else "auto",
        "success_url": return_url,
        "cancel_url": return_url,
        # Of the attempt's age, not of now: the same key must come with the same parameters.
        "expires_at": int(attempt.created_at.timestamp()) + OPEN_MINUTES * 60,
    }
    if captured_at_shipping(attempt.method):
        params["payment_intent_data"]["capture_method"] = "manual"
    if saved.asked(attempt):  # a customer for each card: whoever removes the card removes all that is known with it
        params["customer_creation"] = "always"
        params["payment_intent_data"]["setup_future_usage"] = "on_session"  # its owner will be there
    session = call(lambda: client().v1.checkout.sessions.create(params, {"idempotency_key": attempt.key}))
    return Created(session.id, session.url or "")


def fetch(attempt: PaymentAttempt) -> Fact:
    if not attempt.provider_ref and not _without_page(attempt):  # no buyer has seen the page whose address was lost
        return Fact("stripe", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    if not attempt.provider_ref or _is_intent(attempt):
        intent = _intent_of(attempt)
        if intent is None:
            return Fact("stripe", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
        fact = of_intent(intent, attempt, "")
        return replace(fact, event_id=f"fetch:{attempt.key}:{fact.kind}:{attempt.events.count()}")
    later = captured_at_shipping(attempt.method)
    expand: Any = {"expand": ["payment_intent.latest_charge" if later else "payment_intent"]}
    session = call(lambda: client().v1.checkout.sessions.retrieve(attempt.provider_ref, expand)).to_dict()
    fact = _of_session(session, "")
    if fact.kind == "authorized":
        fact = replace(fact, until=_until(session["payment_intent"], attempt))
    # The number tells a payment that was reversed and came back from the first time it came.
    return replace(fact, event_id=f"fetch:{attempt.key}:{fact.kind}:{attempt.events.count()}", attempt_key=attempt.key)


_CHARGE: Any = {"expand": ["latest_charge"]}


def _without_page(attempt: PaymentAttempt) -> bool:
    """Whether the buyer pays by fields in the page or a wallet, so that a lost answer may have been a payment."""
    return in_page(attempt.method) or bool((method(attempt.method) or {}).get("express"))


def _intent_of(attempt: PaymentAttempt) -> dict[str, Any] | None:
    """The payment; one whose opening got no answer is looked for (https://docs.stripe.com/search, a minute late)."""
    if attempt.provider_ref:
        return call(lambda: client().v1.payment_intents.retrieve(attempt.provider_ref, _CHARGE)).to_dict()
    query: Any = {"query": f"metadata['attempt']:'{attempt.key}'", "expand": ["data.latest_charge"]}
    return next(iter(call(lambda: client().v1.payment_intents.search(query)).to_dict()["data"]), None)


def _is_intent(attempt: PaymentAttempt) -> bool:
    """A payment without Stripe's page; one with it is known by the page's session."""
    return attempt.provider_ref.startswith("pi_")


def _until(intent: dict[str, Any], attempt: PaymentAttempt) -> datetime:
    charge = intent.get("latest_charge")
    details = (charge.get("payment_method_details") or {}) if isinstance(charge, dict) else {}
    before = (details.get("card") or {}).get("capture_before")
    return datetime.fromtimestamp(before, UTC) if before else attempt.created_at + timedelta(days=RESERVED_DAYS)


def capture(capture: Capture) -> CaptureAnswer:
    """All at once: what is left of a reservation after a part was collected is let go by Stripe."""
    attempt = capture.attempt
    intent = call(lambda: client().v1.payment_intents.retrieve(_intent(attempt)))
    if intent.status == "requires_capture":  # Stripe forgets idempotency keys after a day; its state it does not
        params: Any = {"amount_to_capture": rescale(capture.amount, attempt.currency, digits(attempt.currency))}
        options: Any = {"idempotency_key": capture.key}
        intent = call(lambda: client().v1.payment_intents.capture(intent.id, params, options))
    if intent.status == "processing":
        return CaptureAnswer(intent.id, "pending")
    done = intent.status == "succeeded"
    return CaptureAnswer(intent.id, "done" if done else "failed", "" if done else "expired")


def _intent(attempt: PaymentAttempt) -> str:
    if _is_intent(attempt):
        return attempt.provider_ref
    return str(call(lambda: client().v1.checkout.sessions.retrieve(attempt.provider_ref)).payment_intent)


def void(attempt: PaymentAttempt) -> None:
    if not attempt.provider_ref:
        return
    if _is_intent(attempt):
        call(lambda: client().v1.payment_intents.cancel(attempt.provider_ref))
        return
    if captured_at_shipping(attempt.method):
        session = call(lambda: client().v1.checkout.sessions.retrieve(attempt.provider_ref))
        if session.status == "complete":
            call(lambda: client().v1.payment_intents.cancel(str(session.payment_intent)))
            return
    call(lambda: client().v1.checkout.sessions.expire(attempt.provider_ref))


def refund(refund: Refund) -> RefundAnswer:
    attempt = refund.attempt
    intent = _intent(attempt)
    # Stripe forgets idempotency keys after a day; a refund may be asked for again much later.
    known = call(lambda: client().v1.refunds.list({"payment_intent": intent, "limit": 100})).to_dict()["data"]
    if same := next((each for each in known if (each.get("metadata") or {}).get("refund") == refund.key), None):
        return RefundAnswer(same["id"], _REFUNDS.get(same.get("status") or "", "pending"))
    params: Any = {
        "payment_intent": intent,
        "amount": rescale(refund.amount, attempt.currency, digits(attempt.currency)),
        "metadata": {"refund": refund.key, "attempt": attempt.key},
    }
    made = call(lambda: client().v1.refunds.create(params, {"idempotency_key": refund.key}))
    return RefundAnswer(made.id, _REFUNDS.get(made.status or "", "pending"))


_REFUNDS = {"succeeded": "done", "failed": "failed", "canceled": "failed"}


def parse_webhook(request: HttpRequest) -> list[Fact]:
    signing_secret = secret("stripe", "webhook_secret")
    if not signing_secret:  # anybody can sign with an empty secret
        raise BadWebhook("the shop has no webhook_secret")
    try:
        signature = request.headers.get("Stripe-Signature", "")
        event = stripe.Webhook.construct_event(request.body, signature, signing_secret, REPLAY_WINDOW).to_dict()
        event_id, type_, thing = str(event["id"]), str(event["type"]), dict(event["data"]["object"])
    except stripe.SignatureVerificationError:
        raise BadWebhook("wrong signature or too old") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as broken:
        raise BadWebhook(f"unreadable: {type(broken).__name__}") from None
    kept = {"id": event_id, "type": type_, "object": thing.get("id")}  # nothing about the buyer
    return [replace(_of_event(event_id, type_, thing), payload=kept)]


def _of_event(event_id: str, type_: str, thing: dict[str, Any]) -> Fact:
    """https://docs.stripe.com/api/events/types"""
    if type_ == "checkout.session.async_payment_failed":
        return replace(_of_session(thing, event_id), kind="failed", failure="declined")
    if type_.startswith("checkout.session."):
        attempt = PaymentAttempt.objects.filter(key=thing.get("client_reference_id") or "-").first()
        if attempt and attempt.provider_ref and captured_at_shipping(attempt.method):
            return fetch(attempt)  # the event does not say whether the money is reserved or still on its way
        return _of_session(thing, event_id)
    if type_.startswith("payment_intent."):
        mine = Q(provider_ref=thing.get("id") or "-") | Q(
            provider_ref="", key=(thing.get("metadata") or {}).get("attempt") or "-"
        )
        attempt = PaymentAttempt.objects.filter(mine, provider="stripe").first()
        return of_intent(thing, attempt, event_id) if attempt else Fact("stripe", event_id, "unknown")
    if type_ in ("payment_method.updated", "payment_method.automatically_updated"):
        return saving.updated(str(thing.get("id") or ""), event_id)
    if type_ == "payment_method.detached":
        return Fact("stripe", event_id, "token_gone", token=thing.get("id") or "")
    if type_ == "customer.deleted":
        kept = SavedMethod.objects.filter(provider="stripe", customer=thing.get("id") or "-").first()
        return Fact("stripe", event_id, "token_gone", token=kept.token if kept else "")
    if type_ in ("refund.created", "refund.updated", "refund.failed"):
        return _of_refund(thing, event_id)
    if type_ in ("charge.dispute.created", "charge.dispute.closed"):
        return _of_dispute(thing, event_id, closed=type_.endswith("closed"))
    return Fact("stripe", event_id, "unknown")


def _of_dispute(dispute: dict[str, Any], event_id: str, *, closed: bool) -> Fact:
    """A chargeback or a returned direct debit. Inquiries (warning_…) move no money."""
    status = str(dispute.get("status") or "")
    key = _attempt_of(dispute.get("payment_intent") or "")
    if closed and status == "won":
        attempt = PaymentAttempt.objects.filter(key=key).first()
        amount, currency = (attempt.amount, attempt.currency) if attempt else (None, "")
        return Fact("stripe", event_id, "captured", key, amount=amount, currency=currency)
    kind = "unknown" if closed or status.startswith("warning_") else "reversed"
    return Fact("stripe", event_id, kind, key, failure="dispute")


def _of_session(session: dict[str, Any], event_id: str) -> Fact:
    currency = (session.get("currency") or "").upper()
    amount = session.get("amount_total")
    kind, failure = _state(session)
    intent = session.get("payment_intent")
    if kind == "captured" and isinstance(intent, dict):  # a reservation may have been collected in part
        amount = intent.get("amount_received", amount)
    return Fact(
        provider="stripe",
        event_id=event_id,
        kind=kind,
        attempt_key=session.get("client_reference_id") or "",
        provider_ref=session.get("id") or "",
        amount=unscale(amount, currency, digits(currency)) if isinstance(amount, int) and currency else None,
        currency=currency,
        failure=failure,
    )


def _state(session: dict[str, Any]) -> tuple[str, str]:
    intent = session.get("payment_intent")
    error = (intent.get("last_payment_error") or {}) if isinstance(intent, dict) else {}
    failure = FAILURES.get(error.get("decline_code") or error.get("code") or "", "declined")
    match session.get("status"), session.get("payment_status"):
        case "expired", _:
            return "expired", "expired"
        case "complete", "paid":
            return "captured", ""
        case "complete", _ if isinstance(intent, dict) and intent.get("status") == "requires_capture":
            return "authorized", ""
        case "complete", _:
            # An asynchronous way to pay: on its way until Stripe asks for another method.
            failed = isinstance(intent, dict) and intent.get("status") in ("requires_payment_method", "canceled")
            return ("failed", failure) if failed else ("pending", "")
    return "action_required", ""


def of_intent(intent: dict[str, Any], attempt: PaymentAttempt, event_id: str) -> Fact:
    """https://docs.stripe.com/payments/paymentintents/lifecycle"""
    currency = (intent.get("currency") or "").upper()
    error = intent.get("last_payment_error") or {}
    kind = _INTENTS.get(intent.get("status") or "", "unknown")
    if kind == "action_required" and intent.get("status") == "requires_payment_method" and error:
        kind = "failed"  # there is no page of Stripe on which the buyer could try another card
    failure = FAILURES.get(error.get("decline_code") or error.get("code") or "", "declined")
    amount = intent.get("amount")
    if kind == "captured":  # a reservation may have been collected in part
        amount = intent.get("amount_received", amount)
    return Fact(
        provider="stripe",
        event_id=event_id,
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=intent.get("id") or "",
        amount=unscale(amount, currency, digits(currency)) if isinstance(amount, int) and currency else None,
        currency=currency,
        failure=failure if kind == "failed" else "",
        until=_until(intent, attempt) if kind == "authorized" else None,
    )


_INTENTS = {
    "requires_payment_method": "action_required",
    "requires_confirmation": "action_required",
    "requires_action": "action_required",
    "processing": "pending",
    "requires_capture": "authorized",
    "succeeded": "captured",
    "canceled": "cancelled",
}


def _of_refund(refund: dict[str, Any], event_id: str) -> Fact:
    metadata = refund.get("metadata") or {}
    currency = (refund.get("currency") or "").upper()
    state = _REFUNDS.get(refund.get("status") or "", "pending")
    return Fact(
        provider="stripe",
        event_id=event_id,
        kind={"done": "refunded", "failed": "refund_failed"}.get(state, "unknown"),
        attempt_key=metadata.get("attempt") or _attempt_of(refund.get("payment_intent") or ""),
        amount=unscale(refund.get("amount") or 0, currency, digits(currency)) if currency else None,
        currency=currency,
        refund_key=metadata.get("refund") or "",
        refund_ref=refund.get("id") or "",
    )


def _attempt_of(intent: str) -> str:
    """The attempt behind a payment that was changed on Stripe's own pages; "" when it is none of ours."""
    if not intent:
        return ""
    found = call(lambda: client().v1.payment_intents.retrieve(intent)).to_dict()
    return (found.get("metadata") or {}).get("attempt", "")
