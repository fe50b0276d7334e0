"""What a mail says, ready to be shown: every amount, day and address as words in the language of the mail."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.money import format_amount
from common.texts import locale, localized
from common.urls import absolute
from config.shop import SHOP, market, section
from orders import links
from orders.models import Order
from payments import failures, methods

from .contract import consumer, contract
from .words import address_lines, arrival, day, moment, one_line, percent, until, zone

Facts = dict[str, Any]

# Fonts that mail programs have; the shop's own stacks name some that they would ask a server for.
FONTS = {
    "serif": "Georgia, 'Times New Roman', serif",
    "mono": "Menlo, Consolas, 'Courier New', monospace",
}
SANS = "-apple-system, 'Segoe UI', Arial, sans-serif"
PREVIEW_FILLER = range(60)


def facts(kind: str, order: Order | None, language: str, context: Mapping[str, Any]) -> Facts:
    """Everything the templates of a mail may show."""
    values: Facts = {
        **context,
        "language": language,
        "filler": PREVIEW_FILLER,
        **_direction(language),
        "theme": _theme(),
        "shop": _shop(),
        "seller": seller_lines(language),
        # Translators: between a name and its value; French puts a narrow blank before it.
        "colon": _(":"),
    }
    if order is not None:
        values["order"] = order_facts(order, language)
    if kind in BY_KIND:
        values |= BY_KIND[kind](order, language, context)
    return values


# --- shop ---


def _direction(language: str) -> Facts:
    right_to_left = locale(language).text_direction == "rtl"
    return {
        "direction": "rtl" if right_to_left else "ltr",
        "start": "right" if right_to_left else "left",
        "end": "left" if right_to_left else "right",
    }


def _theme() -> Facts:
    chosen = SHOP["shop"]["theme"]
    return {
        **chosen["tokens"],
        "font": FONTS.get(chosen["font"], SANS),
        "radius": f"{round(float(chosen['radius']) * 16)}px",
        "scheme": "light" if chosen["mode"] == "light" else "light dark",
    }


def _shop() -> Facts:
    logo = SHOP["shop"]["theme"].get("logo")
    support = section("support")
    return {
        "name": SHOP["shop"]["name"],
        "url": absolute("/"),
        # Without a picture that mail programs show, the name stands there as text.
        "logo": logo | {"url": _picture(logo["path"])} if logo and _picture(logo["path"]) else None,
        "email": support.get("email") or SHOP["seller"]["email"],
        "phone": (support.get("phone") or SHOP["seller"].get("phone") or "").replace(" ", "\u00a0"),
        "hours": localized(support.get("hours")),
    }


def seller_lines(language: str) -> list[str]:
    """Who sells, as the law wants it at the foot of a business letter (Directive 2000/31/EC article 5)."""
    seller = SHOP["seller"]
    register = seller.get("register") or {}
    name = seller["legal_name"]
    form = seller.get("legal_form") or ""
    capital = next(iter((seller.get("share_capital") or {}).items()), None)
    people = seller.get("representatives") or ()
    return [
        name,
        ", ".join(address_lines(seller["address"])),
        " · ".join(filter(None, [seller.get("phone"), seller["email"]])),
        # A name mostly ends with the form: Maison Lin SAS.
        *_labelled(_("Legal form"), "" if form in name else form),
        *_labelled(_("Register"), " ".join(filter(None, map(register.get, ("name", "city", "court", "number"))))),
        *_labelled(_("VAT number"), seller.get("vat_id")),
        *_labelled(_("Share capital"), capital and format_amount(capital[1], capital[0], language)),
        *_labelled(_("Represented by"), ", ".join(people)),
    ]


def _labelled(label: str, value: str | None) -> list[str]:
    return [f"{label}{_(':')} {value}"] if value else []


# --- order ---


def order_facts(order: Order, language: str) -> Facts:
    def amount(value: int) -> str:
        return format_amount(value, order.currency, language)

    taxes = [(percent(tax["rate"], language), amount(tax["tax"])) for tax in order.taxes]
    net = market(order.market)["prices"] == "net"
    sums = [(_("Goods"), amount(order.goods_amount)), *_discounts(order, language)]
    sums += [(_("Delivery"), amount(order.delivery_amount) if order.delivery_amount else _("Free"))]
    sums += [(_("VAT %(rate)s") % {"rate": rate}, tax) for rate, tax in taxes if net]
    included = [(_("VAT %(rate)s, included") % {"rate": rate}, tax) for rate, tax in taxes if not net]
    person = order.shipping_address or order.billing_address
    return {
        "number": order.number,
        "url": links.url(order),
        "pay_url": links.url(order, "orders:pay"),
        "account_url": _account_url(order),
        "date": day(order.placed_at, order, language),
        "name": one_line(str(person.get("name") or "")),
        "lines": [line_facts(line, order.currency, language) for line in order.lines.all()],
        "sums": [{"label": label, "amount": value} for label, value in sums],
        "included": [{"label": label, "amount": value} for label, value in included],
        "total": amount(order.total_amount),
        "place": _place(order, language),
        "billing": address_lines(order.billing_address or order.shipping_address),
        "delivery": localized(order.delivery.get("name"), language),
        "arrival": arrival(order.delivery, language),
        "payment": method_name(order.payment_method, language),
        "purchase_order": (order.company or {}).get("purchase_order") or "",
    }


def _discounts(order: Order, language: str) -> list[tuple[str, str]]:
    coupons = [
        (localized(item.label, language), item.amount) for item in order.adjustments.all() if item.kind == "coupon"
    ]
    if order.discount_amount and not coupons:
        coupons = [(order.coupon_code, order.discount_amount)]
    return [
        (_("Discount %(name)s") % {"name": name}, format_amount(-abs(amount), order.currency, language))
        for name, amount in coupons
    ]


def line_facts(line: Any, currency: str, language: str) -> Facts:
    options = [f"{localized(option['name'])}{_(':')} {localized(option['value'])}" for option in line.options]
    return {
        "title": localized(line.title, language),
        "options": ", ".join(options),
        "quantity": line.quantity,
        "unit": format_amount(line.unit_amount, currency, language),
        "total": format_amount(line.total_amount, currency, language),
        "picture": _picture(line.picture),
    }


def _picture(path: str) -> str:
    """Absolute address of a picture that mail programs show (hardly one knows SVG); empty for none or a deleted one."""
    if not path or path.endswith(".svg"):
        return ""
    try:
        return absolute(static(path))
    except ValueError:  # not among the collected files
        return ""


def _account_url(order: Order) -> str:
    """Where a guest makes an account of what is already known."""
    offered = apps.is_installed("accounts") and section("checkout")["identification"]["account"] != "none"
    return links.url(order, "orders:account") if offered and order.user_id is None else ""


def _place(order: Order, language: str) -> Facts:
    store = order.delivery.get("store")
    if store:
        return {
            "title": _("Collection point"),
            "lines": [store["name"], *address_lines(store.get("address") or {})],
            "hours": localized(store.get("hours"), language),
        }
    return {"title": _("Delivery address"), "lines": address_lines(order.shipping_address), "hours": ""}


def method_name(method_id: str, language: str) -> str:
    return localized((methods.method(method_id) or {}).get("name"), language)


# --- what the single mails add ---


def _payment_pending(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    told = methods.instructions(order)
    return contract(order, language) | {
        "steps": _steps_to_pay(order, language),
        "reference": told["reference"] if told else order.number,
        "qr_bill_url": links.url(order, "orders:qr-bill") if told and told["qr_bill"] else "",
    }


def _steps_to_pay(order: Order, language: str) -> list[Facts]:
    """What to write on a transfer or a cheque; empty where a provider takes the money."""
    told = methods.instructions(order)
    if told is None:
        return []
    iban = "".join((told.get("iban") or "").split())
    steps = [
        (_("Amount"), format_amount(told["amount"], told["currency"], language)),
        (_("Account holder"), told.get("holder") if iban else ""),
        ("IBAN", " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))),
        ("BIC", told.get("bic")),
        (_("Payable to"), told.get("payable_to")),
        (_("Send to"), ", ".join(address_lines(told.get("address") or {}))),
        (_("Reference"), told["reference"]),
        (_("Pay by"), day(told["pay_by"], order, language)),
    ]
    return [{"label": label, "value": value} for label, value in steps if value]


def _order_confirmation(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    # Only what is still to be paid: a transfer has arrived when its order is confirmed.
    later = (methods.method(order.payment_method) or {}).get("kind") in methods.PAID_LATER
    return contract(order, language) | {"steps": _steps_to_pay(order, language) if later else []}


def _order_received(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    return contract(order, language)


def _payment_failed(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`failure`: a code of payments.failures."""
    return {
        "why": failures.text(context["failure"]) if context.get("failure") else "",
        "deadline": until(order.expires_at, order, language) if order.expires_at else "",
    }


def _money(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`amount` in minor units; without it the whole order."""
    value = context.get("amount")
    return {"amount": format_amount(order.total_amount if value is None else value, order.currency, language)}


def _cancelled(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`reason`: unpaid, sold-out or buyer, others are not told; `refund`: minor units; `note`: words to the buyer."""
    refund = context.get("refund")
    return {
        "refund": format_amount(refund, order.currency, language) if refund else "",
        "paid": order.attempts.filter(state="captured").exists(),
    }


def _shipped(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`fulfilment`: the key of one; without it the latest."""
    found = order.fulfilments.filter(pk=context["fulfilment"]) if "fulfilment" in context else order.fulfilments.all()
    parcel = found.last()
    if parcel is None:
        return {"parcel": None}
    lines = {line.sku: line for line in order.lines.all()}
    sent = parcel.lines or [{"sku": line.sku, "quantity": line.quantity} for line in lines.values()]
    return {
        "parcel": {
            "carrier": parcel.carrier,
            "number": parcel.tracking_number,
            "url": parcel.tracking_url,
            "date": day(parcel.shipped_at, order, language),
            "lines": [
                {**line_facts(lines[item["sku"]], order.currency, language), "quantity": item["quantity"]}
                for item in sent
                if item["sku"] in lines
            ],
        }
    }


def _delivered(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`at`: the ISO moment of delivery; without it now."""
    at = datetime.fromisoformat(context["at"]) if "at" in context else timezone.now()
    terms = consumer(order, language)
    if terms and terms["withdrawal"]:
        # The day of delivery does not count: Regulation 1182/71 article 3(1).
        last = at.astimezone(zone(order)).date() + timedelta(days=market(order.market)["withdrawal"]["days"])
        terms["withdrawal"]["until"] = day(last, order, language)
    return {"consumer": terms, "at": day(at, order, language)}


def _statement(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`name`, `email`, `text`, `at` (ISO) and `lines` [{title {lang}, quantity}]: the withdrawal as it was sent."""
    return {
        "statement": {
            "name": context["name"],
            "email": context["email"],
            "text": context["text"],
            "at": moment(datetime.fromisoformat(context["at"]), order, language),
            "lines": [
                {"title": localized(line["title"], language), "quantity": line["quantity"]} for line in context["lines"]
            ],
        }
    }


def _back_office(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    return {"admin_url": absolute(reverse("admin:orders_order_change", args=[order.pk])), "for_staff": True}


def _withdrawal_notice(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    return _statement(order, language, context) | _back_office(order, language, context)


def _review(order: Order, language: str, context: Mapping[str, Any]) -> Facts:
    """`reason`: why money and order disagree."""
    reasons = {
        "amount_mismatch": _("The provider reports another amount or currency than the order's."),
        "payment_reversed": _("The payment was taken back: a chargeback or a returned direct debit."),
        "authorization_lost": _("The reserved money was released before it was collected."),
        "more_money": _("Another transfer arrived for this order: look at what was paid altogether."),
        "capture_failed": _("The reserved money could not be collected."),
        "authorization_ends": _("The reserved money is let go soon: ship the order, or collect the money now."),
        "refund_failed": _("A refund failed. The buyer has not got the money back."),
    }
    code = context.get("reason", "")
    return {"why": reasons.get(code, code), **_back_office(order, language, context)}


BY_KIND: dict[str, Callable[[Any, str, Mapping[str, Any]], Facts]] = {
    "order-confirmation": _order_confirmation,
    "order-received": _order_received,
    "payment-pending": _payment_pending,
    "payment-received": _money,
    "payment-failed": _payment_failed,
    "payment-returned": _money,
    "refunded": _money,
    "cancelled": _cancelled,
    "shipped": _shipped,
    "delivered": _delivered,
    "withdrawal-received": _statement,
    "new-withdrawal": _withdrawal_notice,
    "new-order": _back_office,
    "order-review": _review,
}
