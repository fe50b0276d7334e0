"""Accounts that do something worth testing. Any other number is refused, so that nobody types a real one."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Account:
    number: str
    scenario: str
    says: Promise

    @property
    def brand(self) -> str:
        return {"4": "Visa", "5": "Mastercard"}.get(self.number[0], "Card")

    @property
    def spaced(self) -> str:
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


CARDS = (
    Account("4242424242424242", "paid", _("pays at once")),
    Account("5555555555554444", "another", _("pays at once")),
    Account("4000002500003155", "challenge", _("asks for 3-D Secure first")),
    Account("4000002760003184", "always-challenge", _("asks for 3-D Secure every time, also when it is saved")),
    Account("4000000000000341", "declined-later", _("pays; when it is saved, the next payment is declined")),
    Account("4000000000000036", "revoked", _("pays; when it is saved, its bank revokes it 30 seconds later")),
    Account("4000000000000002", "declined", _("is declined")),
    Account("4000000000009995", "insufficient_funds", _("is declined: the balance is too low")),
    Account("4000000000000069", "expired_card", _("is declined: the card has expired")),
    Account("4000000000000044", "late", _("pays, but the shop hears of it 30 seconds later")),
    Account("4000000000000051", "lost", _("pays, but the way back to the shop is lost")),
    Account("4000000000000077", "noisy", _("pays; messages arrive twice, too late, and from a forger")),
    Account("4000000000000085", "short", _("takes a wrong amount")),
    Account("4000000000000259", "chargeback", _("pays, and is charged back 30 seconds later")),
)
# Of a method that is collected at shipping.
RESERVING = (
    Account("4000000000000101", "uncollectable", _("is reserved, but cannot be collected")),
    Account("4000000000000119", "short-reserve", _("is reserved for 30 seconds only")),
)
IBANS = (
    Account("DE89370400440532013000", "late", _("is debited after 30 seconds")),
    Account("FR1420041010050500013M02606", "chargeback", _("is debited, and returned 30 seconds later")),
    Account("NL91ABNA0417164300", "late-return", _("is debited after 30 seconds, and returned 30 seconds after that")),
    Account("SE4550000000058398257466", "declined", _("is declined")),
)
# Wallets, pay later and the rest have no number to type: the buyer agrees or does not.
BUTTONS = (
    Account("agree", "paid", _("Pay")),
    Account("refuse", "declined", _("Let it be declined")),
)


def accounts(kind: str, *, reserving: bool = False) -> tuple[Account, ...]:
    if kind == "card":
        return (*CARDS[:-1], *RESERVING) if reserving else CARDS  # what is only reserved cannot be charged back
    return IBANS if kind == "sepa-debit" else BUTTONS


def find(kind: str, typed: str, *, reserving: bool = False) -> Account | None:
    number = "".join(typed.split()).upper()
    return next((each for each in accounts(kind, reserving=reserving) if each.number.upper() == number), None)
