"""The Swiss QR-bill of a transfer to an account in Switzerland or Liechtenstein.

Swiss Payment Standards, implementation guidelines QR-bill 2.3 and 2.4 (https://www.six-group.com/en/products-services/
banking-services/payment-standardization/standards/qr-bill.html): structured addresses only, a QR reference with a
QR-IBAN, a creditor reference (ISO 11649) with any other IBAN.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import segno
from django.utils.safestring import mark_safe

from common.money import to_decimal
from config.shop import SHOP
from orders.models import Order

from . import references

# The guidelines order these words, so they are not the translators'. Buyers of other languages read the English ones.
HEADINGS = {
    "en": {
        "payment_part": "Payment part",
        "receipt": "Receipt",
        "account": "Account / Payable to",
        "reference": "Reference",
        "information": "Additional information",
        "payable_by": "Payable by",
        "currency": "Currency",
        "amount": "Amount",
        "acceptance": "Acceptance point",
        "separate": "Separate before paying in",
    },
    "de": {
        "payment_part": "Zahlteil",
        "receipt": "Empfangsschein",
        "account": "Konto / Zahlbar an",
        "reference": "Referenz",
        "information": "Zusätzliche Informationen",
        "payable_by": "Zahlbar durch",
        "currency": "Währung",
        "amount": "Betrag",
        "acceptance": "Annahmestelle",
        "separate": "Vor der Einzahlung abzutrennen",
    },
    "fr": {
        "payment_part": "Section paiement",
        "receipt": "Récépissé",
        "account": "Compte / Payable à",
        "reference": "Référence",
        "information": "Informations supplémentaires",
        "payable_by": "Payable par",
        "currency": "Monnaie",
        "amount": "Montant",
        "acceptance": "Point de dépôt",
        "separate": "A détacher avant le versement",
    },
    "it": {
        "payment_part": "Sezione pagamento",
        "receipt": "Ricevuta",
        "account": "Conto / Pagabile a",
        "reference": "Riferimento",
        "information": "Informazioni supplementari",
        "payable_by": "Pagabile da",
        "currency": "Valuta",
        "amount": "Importo",
        "acceptance": "Punto di accettazione",
        "separate": "Da staccare prima del versamento",
    },
}


@dataclass(frozen=True)
class Party:
    name: str
    street: str
    number: str
    postcode: str
    city: str
    country: str

    @property
    def lines(self) -> list[str]:
        return [line for line in (self.name, f"{self.street} {self.number}", f"{self.postcode} {self.city}") if line]

    @property
    def fields(self) -> list[str]:
        return ["S", self.name, self.street, self.number, self.postcode, self.city, self.country]


def is_offered(order: Order, method: Mapping[str, Any]) -> bool:
    """Swiss francs or euro, to an account in Switzerland or Liechtenstein."""
    return order.currency in ("CHF", "EUR") and _iban(method)[:2] in ("CH", "LI")


def has_qr_iban(method: Mapping[str, Any]) -> bool:
    """A QR-IBAN has an institution number from 30000 to 31999, and takes QR references only."""
    iban = _iban(method)
    return iban[:2] in ("CH", "LI") and "30000" <= iban[4:9] <= "31999"


def _iban(method: Mapping[str, Any]) -> str:
    return "".join((method.get("iban") or "").split()).upper()


def reference(order: Order, method: Mapping[str, Any]) -> str:
    return references.qr_reference(order) if has_qr_iban(method) else references.creditor_reference(order)


def text(order: Order, method: Mapping[str, Any]) -> str:
    """What the symbol holds: one line a field, in the order of the guidelines (chapter 4)."""
    debtor = payable_by(order)
    lines = [
        *("SPC", "0200", "1", _iban(method)),
        *payable_to(method).fields,
        *[""] * 7,  # the ultimate creditor: for future use
        f"{to_decimal(order.total_amount, order.currency):.2f}",
        order.currency,
        *(debtor.fields if debtor else [""] * 7),
        "QRR" if has_qr_iban(method) else "SCOR",
        reference(order, method),
        _plain(order.number, 140),
        "EPD",
    ]
    return "\n".join(lines)


def payable_to(method: Mapping[str, Any]) -> Party:
    seller = SHOP["seller"]
    return _party(method.get("holder") or seller["legal_name"], seller["address"])


def payable_by(order: Order) -> Party | None:
    """The buyer; None when the address is not whole, for the guidelines want all of it or nothing."""
    address = order.billing_address or order.shipping_address
    if not all(address.get(key) for key in ("name", "postcode", "city", "country")):
        return None
    return _party(address["name"], address)


def _party(name: str, address: Mapping[str, str]) -> Party:
    street, number = _street(address.get("street") or "")
    return Party(
        _plain(name, 70),
        _plain(street, 70),
        _plain(number, 16),
        _plain(address.get("postcode") or "", 16),
        _plain(address.get("city") or "", 35),
        (address.get("country") or "")[:2].upper(),
    )


def _street(line: str) -> tuple[str, str]:
    """Street and house number: behind it as in Bern or Berlin, before it as in Paris; else all is street."""
    number = r"[0-9]+\s?[A-Za-z]?(?:[-/][0-9]+\s?[A-Za-z]?)?"
    if found := re.fullmatch(rf"(.*\S)[\s,]+({number})", line.strip()):
        return found[1], found[2]
    if found := re.fullmatch(rf"({number}(?:\s(?:bis|ter))?)[\s,]+(\D.*)", line.strip()):
        return found[2], found[1]
    return line, ""


_QUOTES = str.maketrans("‘’‚“”„–—", "'''\"\"\"--")


def _plain(value: str, length: int) -> str:
    """In the characters that banks take: Latin, with accents. Others lose their marks, or become a point."""
    return "".join(_character(each) for each in " ".join(value.translate(_QUOTES).split()))[:length].strip()


def _character(each: str) -> str:
    if " " <= each <= "~" or "\u00a1" <= each <= "\u017f" or each in "ȘșȚț€":
        return each
    base = unicodedata.normalize("NFKD", each)[:1]
    return base if " " <= base <= "~" else "."


def symbol(order: Order, method: Mapping[str, Any]) -> str:
    """The QR code with the Swiss cross in its middle, as an <svg> of 46 by 46 millimetres; "" where there is none."""
    if not is_offered(order, method):
        return ""
    code = segno.make_qr(text(order, method).encode(), error="m", boost_error=False, mask=4)
    drawing = code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    side = code.symbol_size(border=0)[0]
    cross = _cross(side / 2, side * 7 / 46)
    return mark_safe(drawing.replace("</svg>", f"{cross}</svg>"))  # noqa: S308  modules and rectangles only


def _cross(middle: float, side: float) -> str:
    """7 by 7 millimetres of the symbol's 46: a white edge, a black square, the cross of the flag."""

    def bar(width: float, height: float, colour: str) -> str:
        x, y = middle - width * side / 2, middle - height * side / 2
        size = f'width="{width * side:.3f}" height="{height * side:.3f}"'
        return f'<rect x="{x:.3f}" y="{y:.3f}" {size} fill="{colour}"/>'

    cross = bar(0.167, 0.556, "#fff") + bar(0.556, 0.167, "#fff")
    return bar(1, 1, "#fff") + bar(0.93, 0.93, "#000") + cross


def parts(order: Order, method: Mapping[str, Any]) -> dict[str, Any]:
    """All that receipt and payment part show, in the language of the order where the guidelines have it."""
    language = order.language.split("-")[0]
    told = reference(order, method)
    return {
        "language": language if language in HEADINGS else "en",
        "words": HEADINGS.get(language, HEADINGS["en"]),
        "symbol": symbol(order, method),
        "iban": _grouped(_iban(method)),
        "payable_to": payable_to(method).lines,
        "payable_by": debtor.lines if (debtor := payable_by(order)) else [],
        "reference": f"{told[:2]} {_grouped(told[2:], 5)}" if has_qr_iban(method) else _grouped(told),
        "currency": order.currency,
        "amount": f"{to_decimal(order.total_amount, order.currency):,.2f}".replace(",", " "),
        "information": _plain(order.number, 140),
    }


def _grouped(value: str, size: int = 4) -> str:
    return " ".join(value[start : start + size] for start in range(0, len(value), size))
