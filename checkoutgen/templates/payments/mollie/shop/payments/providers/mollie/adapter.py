"""Mollie Payments: the buyer pays on Mollie's page (https://docs.mollie.com/reference/create-payment)."""

import json
import logging
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import mollie
from django.conf import settings
from django.http import HttpRequest
from mollie.utils.webhooks import InvalidSignatureException, SignatureValidator

from common.texts import localized
from config.shop import SHOP
from orders.models import Order
from payments import saved
from payments.credentials import secret
from payments.facts import BadWebhook, CaptureAnswer, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import captured_at_shipping, method
from payments.models import Capture, PaymentAttempt, Refund, SavedMethod
from payments.units import decimal_text, from_text

logger = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every request
T = TypeVar("T")
TIMEOUT = 20_000  # milliseconds
METHODS = {
    "card": "creditcard",
    "wallet": "applepay",
    "paypal": "paypal",
    "ideal": "ideal",
    "bancontact": "bancontact",
    "swish": "swish",
    "twint": "twint",
    "pay-later": "klarna",
}
LOCALES = {
    **{
        code: f"{code}_{code.upper()}"
        for code in ("de", "es", "fi", "fr", "hu", "is", "it", "lt", "lv", "nl", "pl", "pt")
    },
    **{"ca": "ca_ES", "da": "da_DK", "en": "en_GB", "nb": "nb_NO", "sv": "sv_SE"},
}
KINDS = {
    "open": "action_required",
    "pending": "pending",
    "authorized": "authorized",
    "paid": "captured",
    "canceled": "cancelled",
    "expired": "expired",
    "failed": "failed",
}
CAPTURES = {"succeeded": "done", "failed": "failed"}
RESERVED_DAYS = 7  # https://docs.mollie.com/docs/place-a-hold-for-a-payment: what most cards hold
REFUNDS = {"refunded": "done", "failed": "failed", "canceled": "failed"}
# The codes of mollie.models.StatusReason; all others are a plain no.
FAILURES = {
    "insufficient_funds": "insufficient_funds",
    "card_expired": "expired_card",
    "expired_card": "expired_card",
    "authentication_abandoned": "authentication_failed",
    "authentication_failed": "authentication_failed",
    "authentication_required": "authentication_failed",
    "authentication_unavailable_acs": "authentication_failed",
    "card_authentication_failed": "authentication_failed",
}
PAYMENT = re.compile(r"tr_[A-Za-z0-9]{1,60}")


def _client() -> mollie.ClientSDK:
    """MOLLIE_API_BASE leads to a pretended Mollie, in development only."""
    base = os.environ.get("MOLLIE_API_BASE") if settings.DEVELOPMENT else None
    security = mollie.Security(api_key=secret("mollie", "api_key"))
    return mollie.ClientSDK(security=security, server_url=base, timeout_ms=TIMEOUT)


def call(work: Callable[[mollie.ClientSDK], T]) -> T:
    """Mollie's errors in the engine's words: nobody knows, or a definite no."""
    try:
        with _client() as client:
            return work(client)
    except mollie.ClientError as refused:
        if not 400 <= refused.status_code < 500 or refused.status_code in (408, 409, 429):
            raise ProviderDown(str(refused.status_code)) from None  # 2xx: an answer that the SDK cannot read
        logger.error("mollie refused a request: %s", refused.status_code)
        raise Declined("method_unavailable") from None
    except (httpx.HTTPError, mollie.NoResponseError) as failed:
        raise ProviderDown(type(failed).__name__) from None


def amount_of(amount: int, currency: str) -> dict[str, str]:
    return {"currency": currency, "value": decimal_text(amount, currency)}


def create(
    attempt: PaymentAttempt, return_url: str, webhook_url: str, card_token: str = "", customer: str = ""
) -> Created:
    """`card_token` comes from Mollie's fields in the page; without it the buyer goes to Mollie's page, which remembers
    and offers the cards of `customer`."""
    order = attempt.order
    if kept := saved.asked(attempt):
        customer = _customer(kept)
    kind = (method(attempt.method) or {}).get("kind", "card")
    if kind not in METHODS:
        raise Declined("method_unavailable")
    request: Any = {
        "amount": amount_of(attempt.amount, attempt.currency),
        "description": f"{SHOP['shop']['name']} {order.number}",
        "redirect_url": return_url,
        "method": METHODS[kind],
        "metadata": {"attempt": attempt.key, "order": order.number},
    }
    if card_token:
        request["card_token"] = card_token
    if captured_at_shipping(attempt.method):
        request["capture_mode"] = "manual"
    elif kind == "pay-later":
        request["capture_mode"] = "automatic"
    if kind == "pay-later":
        request |= {"lines": _lines(order), "billing_address": _person(order)}
    if customer:
        request["customer_id"] = customer
    if locale := LOCALES.get(order.language.split("-")[0]):
        request["locale"] = locale
    if not _is_local(webhook_url):  # Mollie refuses addresses that it cannot reach
        request["webhook_url"] = webhook_url
    made = call(
        lambda client: client.payments.create(payment_request=request, idempotency_key=attempt.key, retries=None)
    )
    return Created(made.id, made.links.checkout.href if made.links.checkout else "")


def _customer(kept: SavedMethod) -> str:
    """A customer for each card, without a name: whoever removes the card removes all that is known with it."""
    if not kept.customer:
        new: Any = {"metadata": {"saved": kept.key}}
        made = call(lambda client: client.customers.create(entity_customer=new, idempotency_key=kept.key, retries=None))
        SavedMethod.objects.filter(pk=kept.pk).update(customer=made.id)
        kept.customer = made.id
    return kept.customer


def _lines(order: Order) -> list[dict[str, Any]]:
    """The lines that ways to pay later want to see (https://docs.mollie.com/docs/klarna); they add up to the total."""

    def line(type_: str, description: str, quantity: int, unit: int, total: int) -> dict[str, Any]:
        money = {"unit_price": amount_of(unit, order.currency), "total_amount": amount_of(total, order.currency)}
        return {"type": type_, "description": description[:100], "quantity": quantity, **money}

    lines = [
        line("physical", localized(each.title, order.language), each.quantity, each.unit_amount, each.total_amount)
        for each in order.lines.all()
    ]
    if order.delivery_amount:
        name = localized(order.delivery.get("name"), order.language) or order.delivery.get("method", "")
        lines.append(line("shipping_fee", name, 1, order.delivery_amount, order.delivery_amount))
    if order.discount_amount:
        lines.append(line("discount", order.coupon_code or "-", 1, -order.discount_amount, -order.discount_amount))
    rest = order.total_amount - sum(each.total_amount for each in order.lines.all())
    if tax := rest - order.delivery_amount + order.discount_amount:  # where prices are shown without it
        lines.append(line("surcharge", "VAT", 1, tax, tax))
    return lines


def _person(order: Order) -> dict[str, str]:
    address = order.billing_address or order.shipping_address
    first, _, last = (address.get("name") or "").partition(" ")
    found = {
        "given_name": first or "-",
        "family_name": last or first or "-",
        "email": order.email,
        "street_and_number": address.get("street"),
        "street_additional": address.get("line2"),
        "postal_code": address.get("postcode"),
        "city": address.get("city"),
        "country": address.get("country") or order.market,
    }
    return {key: value for key, value in found.items() if value}


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".test", ".example"))


def fetch(attempt: PaymentAttempt) -> Fact:
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("mollie", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    payment = call(lambda client: client.payments.get(payment_id=attempt.provider_ref, retries=None))
    charged_back = payment.amount_charged_back  # back to nothing when the chargeback is lifted; the status stays "paid"
    reversed_ = bool(charged_back and Decimal(charged_back.value) > 0)
    status = word(payment.status)
    kind = "reversed" if reversed_ else KINDS.get(status, "unknown")
    reason = word(payment.status_reason.code) if payment.status_reason else ""
    amount = payment.amount
    if kind == "captured" and captured_at_shipping(attempt.method):
        amount = payment.amount_captured or amount
    return Fact(
        provider="mollie",
        # The number tells a payment that was reversed and came back from the first time it came.
        event_id=f"{payment.id}:{kind}:{attempt.events.count()}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=payment.id,
        amount=from_text(amount.value, amount.currency),
        currency=amount.currency,
        until=_until(payment, attempt) if kind == "authorized" else None,
        failure="chargeback" if reversed_ else FAILURES.get(reason, "declined") if kind == "failed" else "",
        payload={"id": payment.id, "status": status},
    )


def word(value: Any) -> str:
    """The SDK gives enums for the words that it knows, and texts for newer ones."""
    return str(getattr(value, "value", value))


def _until(payment: Any, attempt: PaymentAttempt) -> datetime:
    before = payment.capture_before
    if isinstance(before, str):
        before = datetime.fromisoformat(before)
    found = before if isinstance(before, datetime) else attempt.created_at + timedelta(days=RESERVED_DAYS)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def capture(capture: Capture) -> CaptureAnswer:
    """All at once: Mollie lets go of what is left of a card payment after a part was collected."""
    attempt = capture.attempt
    # Mollie forgets idempotency keys after an hour; a collection may be asked for again much later.
    listed = call(lambda client: client.captures.list(payment_id=attempt.provider_ref, limit=250, retries=None))
    known = list(listed.result.embedded.captures) if listed else []
    made = next((each for each in known if _key_of(each, "capture") == capture.key), None)
    if made is None:
        request: Any = {
            "amount": amount_of(capture.amount, attempt.currency),
            "description": attempt.order.number,
            "metadata": {"capture": capture.key},
        }
        made = call(
            lambda client: client.captures.create(
                payment_id=attempt.provider_ref, entity_capture=request, idempotency_key=capture.key, retries=None
            )
        )
    return CaptureAnswer(made.id, CAPTURES.get(word(made.status), "pending"))


def void(attempt: PaymentAttempt) -> None:
    """A page that is open is closed, a reservation is let go."""
    ref = attempt.provider_ref
    if not ref:
        return
    if captured_at_shipping(attempt.method):
        payment = call(lambda client: client.payments.get(payment_id=ref, retries=None))
        if word(payment.status) == "authorized":
            call(lambda client: client.payments.release_authorization(payment_id=ref, retries=None))
            return
    call(lambda client: client.payments.cancel(payment_id=ref, retries=None))


def refund(refund: Refund) -> RefundAnswer:
    attempt = refund.attempt
    # Mollie forgets idempotency keys after an hour; a refund may be asked for again much later.
    if same := next((each for each in _refunds(attempt) if _refund_key(each) == refund.key), None):
        return RefundAnswer(same.id, REFUNDS.get(word(same.status), "pending"))
    request: Any = {
        "amount": amount_of(refund.amount, attempt.currency),
        "description": attempt.order.number,
        "metadata": {"refund": refund.key},
    }
    made = call(
        lambda client: client.refunds.create(
            payment_id=attempt.provider_ref, refund_request=request, idempotency_key=refund.key, retries=None
        )
    )
    return RefundAnswer(made.id, REFUNDS.get(word(made.status), "pending"))


def _refunds(attempt: PaymentAttempt) -> list[Any]:
    found = call(lambda client: client.refunds.list(payment_id=attempt.provider_ref, limit=250, retries=None))
    return list(found.result.embedded.refunds) if found else []


def _refund_key(made: Any) -> str:
    return _key_of(made, "refund")


def _key_of(made: Any, name: str) -> str:
    return str(made.metadata.get(name, "")) if isinstance(made.metadata, dict) else ""


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """Classic webhooks (https://docs.mollie.com/reference/webhooks) and next-generation ones
    (https://docs.mollie.com/reference/webhooks-new) only name a payment here: what it is worth is asked from Mollie.

    One that is none of ours is not even asked for, so that nobody can make the shop ask about anything they like.
    """
    signature = request.headers.get(SignatureValidator.SIGNATURE_HEADER)
    ref = request.POST.get("id", "") if signature is None else _named_by_event(request.body, signature)
    if not PAYMENT.fullmatch(ref):
        raise BadWebhook("names no payment")
    attempt = PaymentAttempt.objects.filter(provider="mollie", provider_ref=ref).first()
    if attempt is None:
        return []
    facts = [fetch(attempt)]
    if attempt.state in ("captured", "reversed"):  # refunds that are over, those made in Mollie's dashboard too
        facts += [_of_refund(attempt, each) for each in _refunds(attempt) if word(each.status) in REFUNDS]
    return facts


def _named_by_event(body: bytes, signature: str) -> str:
    """The payment that a signed event is about, itself or by its refund or chargeback."""
    signing_secret = secret("mollie", "webhook_secret")
    if not signing_secret:  # anybody can sign with an empty secret
        raise BadWebhook("the shop has no webhook_secret")
    try:
        if not SignatureValidator.validate(body.decode(), signing_secret, signature):  # False when it is empty
            raise BadWebhook("no signature")
        event = json.loads(body)
        entity = (event.get("_embedded") or {}).get("entity") or {}
        return str(entity.get("paymentId") or event["entityId"])
    except InvalidSignatureException:
        raise BadWebhook("wrong signature") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as broken:
        raise BadWebhook(f"unreadable: {type(broken).__name__}") from None


def _of_refund(attempt: PaymentAttempt, made: Any) -> Fact:
    kind = "refunded" if REFUNDS[word(made.status)] == "done" else "refund_failed"
    return Fact(
        provider="mollie",
        event_id=f"{made.id}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=attempt.provider_ref,
        amount=from_text(made.amount.value, made.amount.currency),
        currency=made.amount.currency,
        refund_key=_refund_key(made),
        refund_ref=made.id,
        payload={"id": made.id, "status": word(made.status)},
    )
