"""The ways to pay that the specification offers, and what to do for those without a provider."""

from datetime import date, datetime, timedelta
from typing import Any

import segno
from django.utils import timezone
from django.utils.safestring import mark_safe

from common.money import to_decimal
from config.shop import SHOP, section
from orders.models import Order

from . import qr_bill

# The money comes after the contract: the order is confirmed at once and paid later, by agreement.
PAID_LATER = ("purchase-order", "invoice", "cash-on-delivery", "cash-at-pickup")
# The buyer sends the money, the seller sees it arrive.
PAID_BY_BUYER = ("bank-transfer", "cheque")
# Days that a transfer or a letter may be on its way after the last day to pay.
GRACE_DAYS = 4


def methods() -> list[dict[str, Any]]:
    return section("payment").get("methods", [])


def method(method_id: str) -> dict[str, Any] | None:
    return next((each for each in methods() if each["id"] == method_id), None)


def provider_of(method: dict[str, Any]) -> str:
    """The provider's folder name, "" for methods that no provider stands behind."""
    without = method["kind"] in PAID_LATER or method["kind"] in PAID_BY_BUYER
    return "" if without else method.get("provider", "")


def in_page(method_id: str) -> bool:
    """Whether the provider's fields stand in a page of the shop (`mode: fields`)."""
    return (method(method_id) or {}).get("mode") == "fields"


def captured_at_shipping(method_id: str) -> bool:
    """Whether the money is only reserved at the order, and collected when the goods leave."""
    return (method(method_id) or {}).get("capture") == "at-shipping"


def available(market: str, total: int, currency: str, delivery_kind: str = "") -> list[dict[str, Any]]:
    """The methods a buyer may choose for this market, total and way of delivery, in the order of the specification."""
    return [each for each in methods() if _fits(each, market, total, currency, delivery_kind)]


def _fits(method: dict[str, Any], market: str, total: int, currency: str, delivery_kind: str) -> bool:
    if method.get("markets") and market not in method["markets"]:
        return False
    if (minimum := (method.get("minimum") or {}).get(currency)) is not None and total < minimum:
        return False
    if (maximum := (method.get("maximum") or {}).get(currency)) is not None and total > maximum:
        return False
    if delivery_kind:
        collected = delivery_kind == "click-and-collect"
        if method["kind"] == "cash-at-pickup" and not collected:
            return False
        if method["kind"] == "cash-on-delivery" and (collected or delivery_kind == "digital"):
            return False
    return True


def expires_at(method: dict[str, Any], now: datetime) -> datetime | None:
    """When an order by this method is let go if no money came; None: never."""
    if method["kind"] in PAID_LATER:
        return None
    if method["kind"] in PAID_BY_BUYER:
        return now + timedelta(days=method.get("days_to_pay", 7) + GRACE_DAYS)
    return now + timedelta(hours=section("payment").get("pay_within_hours", 24))


def reference(order: Order) -> str:
    """What the buyer gives with a transfer: a creditor reference (ISO 11649), for a QR-IBAN a QR reference."""
    return qr_bill.reference(order, method(order.payment_method) or {})


def pay_by(order: Order, method: dict[str, Any]) -> date:
    """The last day to pay, in the shop's zone, for methods that the buyer pays after ordering."""
    days = method.get("days_to_pay", method.get("terms_days", 30 if method["kind"] in PAID_LATER else 7))
    return (timezone.localtime(order.placed_at) + timedelta(days=days)).date()


def instructions(order: Order) -> dict[str, Any] | None:
    """What the buyer needs to pay an order whose method has no provider; None for the others.

    Keys: kind, amount, currency, pay_by, reference; iban, bic, holder, epc_qr or qr_bill (an <svg>) for a
    transfer; payable_to, address for a cheque; terms_days, late_interest, recovery_fee for an invoice.
    """
    chosen = method(order.payment_method)
    if chosen is None or provider_of(chosen) or chosen["kind"] not in PAID_BY_BUYER + PAID_LATER:
        return None
    details = {key: chosen[key] for key in _PUBLIC if key in chosen}
    return details | {
        "kind": chosen["kind"],
        "amount": order.total_amount,
        "currency": order.currency,
        "pay_by": pay_by(order, chosen),
        "reference": reference(order),
        "epc_qr": epc_qr(order, chosen) if chosen["kind"] == "bank-transfer" else "",
        "qr_bill": qr_bill.symbol(order, chosen) if chosen["kind"] == "bank-transfer" else "",
    }


_PUBLIC = ("iban", "bic", "holder", "payable_to", "address", "terms_days", "late_interest", "recovery_fee", "document")


def epc_text(order: Order, method: dict[str, Any]) -> str:
    """The lines of a SEPA transfer as EPC069-12 (version 002, UTF-8) orders them."""
    holder = " ".join((method.get("holder") or SHOP["seller"]["legal_name"]).split())[:70]
    account = [method.get("bic") or "", holder, method["iban"].replace(" ", "")]
    purpose = ""
    amount = f"EUR{to_decimal(order.total_amount, 'EUR')}"
    return "\n".join(["BCD", "002", "1", "SCT", *account, amount, purpose, reference(order)])


def epc_qr(order: Order, method: dict[str, Any]) -> str:
    """An <svg> from which a bank app reads the whole transfer: euro only, and not where a QR-bill takes its place.

    The mask is fixed: to try all eight takes five times as long, and readers take any of them.
    """
    if order.currency != "EUR" or not method.get("iban") or qr_bill.is_offered(order, method):
        return ""
    code = segno.make_qr(epc_text(order, method).encode(), error="m", boost_error=False, mask=4)
    return mark_safe(code.svg_inline(border=2, scale=4, svgclass=None, lineclass=None))  # noqa: S308  modules only
