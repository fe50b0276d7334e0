"""The demo provider's wallet in the cart: some people with their addresses, one of whom lives where few shops deliver.

It keeps nothing: what the shop asked for and what the buyer agreed to travel in signed addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import get_language

from cart.models import Cart
from cart.summary import summarize
from payments.facts import Created, Declined, ProviderDown, Wallet
from payments.models import PaymentAttempt

from . import adapter, bank
from .cards import BUTTONS
from .models import DemoPayment

BEGUN = "demo wallet begun"
AGREED = "demo wallet agreed"
LIFE = 6 * 3600  # seconds between the wallet and the order button


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    phone: str
    address: Mapping[str, str]
    account: str = "agree"  # what happens when the money is taken (cards.BUTTONS)


def _person(country: str, name: str, street: str, postcode: str, city: str, account: str = "agree") -> Person:
    key = f"{country}-{account}".lower()
    address = {"country": country, "name": name, "street": street, "postcode": postcode, "city": city}
    return Person(key, f"{key}@wallet.example", "", address, account)


PEOPLE = (
    _person("FR", "Camille Roussel", "14 rue des Postes", "59000", "Lille"),
    _person("BE", "Noor Peeters", "Naamsestraat 20", "3000", "Leuven"),
    _person("DE", "Jonas Krüger", "Weserstraße 5", "12047", "Berlin"),
    _person("SE", "Elsa Lindqvist", "Storgatan 1", "211 34", "Malmö"),
    _person("NL", "Sanne de Wit", "Keizersgracht 12", "1015 CN", "Amsterdam"),
    _person("FR", "Léo Sans-le-Sou", "3 place du Marché", "59800", "Lille", "refuse"),
    _person("IS", "Sigrún Jónsdóttir", "Laugavegur 10", "101", "Reykjavík"),
)


def begin(cart: Cart, method: dict[str, Any], return_url: str, quote_url: str) -> tuple[str, str]:
    if not bank.allowed():
        raise Declined("method_unavailable")
    asked = {"amount": summarize(cart).totals.total, "currency": cart.currency, "language": get_language()}
    ref = signing.dumps(asked | {"back": return_url, "quote": quote_url}, salt=BEGUN, compress=True)
    return ref, settings.PUBLIC_URL + reverse("demo:wallet", args=[ref])


def agree(ref: str, person: Person, option: str, amount: int) -> str:
    """What the wallet sends back with the buyer."""
    return signing.dumps({"ref": ref[-40:], "person": person.id, "option": option, "amount": amount}, salt=AGREED)


def wallet(cart: Cart, ref: str, answer: Mapping[str, str]) -> Wallet | None:
    try:
        token = answer.get("agreed", "")
        agreed = signing.loads(token, salt=AGREED, max_age=LIFE)
        asked = signing.loads(ref, salt=BEGUN, max_age=LIFE)
    except signing.BadSignature:
        return None
    person = next((each for each in PEOPLE if each.id == agreed["person"]), None)
    if person is None or agreed["ref"] != ref[-40:]:
        return None
    return Wallet(
        token=token,
        email=person.email,
        phone=person.phone,
        address=dict(person.address),
        option=agreed["option"],
        amount=agreed["amount"],
        currency=asked["currency"],
    )


def create(token: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    opened = adapter.create(attempt, return_url, webhook_url)
    payment = DemoPayment.objects.get(ref=opened.provider_ref)
    try:
        agreed = signing.loads(token, salt=AGREED, max_age=LIFE)
    except signing.BadSignature:
        raise Declined("expired") from None
    person = next(each for each in PEOPLE if each.id == agreed["person"])
    account = next(each for each in BUTTONS if each.number == person.account)
    payment = bank.call(lambda: bank.pay(payment.ref, account))
    bank.deliver_soon()
    if payment.state == DemoPayment.State.DECLINED:
        raise Declined(payment.failure)
    if payment.state == DemoPayment.State.OPEN:
        raise ProviderDown("not taken")
    return Created(payment.ref)
