"""What the engine and the providers tell each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from django.http import HttpRequest

from .models import Capture, PaymentAttempt, Refund, SavedMethod

if TYPE_CHECKING:
    from orders.models import Order


@dataclass(frozen=True)
class Fact:
    """One thing a provider, or the back office, knows about a payment.

    `kind` is an attempt state (action_required, pending, authorized, captured, failed, cancelled, expired, reversed),
    or `refunded`, `refund_failed`, `capture_done`, `capture_failed`, or `unknown` for an event that is kept and changes
    nothing. `event_id` is the provider's own where it has one: (provider, event_id) counts once. `amount` is in minor
    units of `currency`. `until` says when an authorisation ends. Two kinds are about no payment: `token_gone`, what the
    provider kept as `token` is no longer good; `token_updated`, it is now as `kept` says (a renewed card).
    """

    provider: str
    event_id: str
    kind: str
    attempt_key: str = ""
    provider_ref: str = ""
    amount: int | None = None
    currency: str = ""
    failure: str = ""
    refund_key: str = ""
    refund_ref: str = ""
    capture_key: str = ""
    capture_ref: str = ""
    until: datetime | None = None
    token: str = ""
    kept: "Token | None" = None
    payload: dict[str, Any] = field(default_factory=dict)
    source: str = "webhook"


@dataclass(frozen=True)
class Created:
    """A payment the provider has opened: the buyer goes to `redirect_url`, or nowhere when it is empty.

    `browser` goes to the provider's script on the payment page and is not kept; `known` is what the answer already
    says about the money, for providers that cannot be asked again.
    """

    provider_ref: str
    redirect_url: str = ""
    browser: dict[str, str] = field(default_factory=dict)
    known: Fact | None = None


# Opens a payment: (attempt, return_url, webhook_url). Raises ProviderDown or Declined.
Create = Callable[[PaymentAttempt, str, str], Created]


@dataclass(frozen=True)
class RefundAnswer:
    provider_ref: str
    state: str  # pending, done, failed


@dataclass(frozen=True)
class CaptureAnswer:
    provider_ref: str
    state: str  # pending, done, failed
    failure: str = ""


@dataclass(frozen=True)
class Token:
    """What a provider keeps for the next purchase, and what of it may be shown. `exp_year` has four digits."""

    token: str
    brand: str
    last4: str = ""
    exp_year: int | None = None
    exp_month: int | None = None
    customer: str = ""


class ProviderDown(Exception):
    """No usable answer (time-out, 5xx): nobody knows whether it happened. Ask again with the same key."""


class Declined(Exception):
    """A definite no."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadWebhook(Exception):
    """A webhook whose signature, age or shape is wrong: answered 400, nothing is stored."""


class Adapter(Protocol):
    """The functions of `payments/providers/<name>/adapter.py`. Network calls raise ProviderDown or Declined.

    `capture` is there for the kinds that the provider's `x-capture` names; `CAPTURES_IN_PARTS` lists those that can be
    collected parcel by parcel.
    """

    def create(self, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created: ...
    def fetch(self, attempt: PaymentAttempt) -> Fact: ...
    def capture(self, capture: Capture) -> CaptureAnswer: ...
    def void(self, attempt: PaymentAttempt) -> None: ...
    def refund(self, refund: Refund) -> RefundAnswer: ...
    def parse_webhook(self, request: HttpRequest) -> list[Fact]: ...


class Saving(Protocol):
    """The functions of `payments/providers/<name>/saving.py`, where a provider can keep a way to pay.

    `adapter.create` asks the provider to keep it when `saved.asked(attempt)`. Network calls raise ProviderDown or
    Declined; Declined("token_gone") says that what was kept cannot be used any more.
    """

    NAME: str  # the company, as buyers know it

    def save(self, attempt: PaymentAttempt) -> Token | None:
        """What was kept with a payment that has been made; None as long as there is nothing."""

    def charge(self, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
        """Pay with `attempt.saved`, its owner being present. The attempt's key makes it happen once."""

    def forget(self, saved: SavedMethod) -> None:
        """Have it forgotten; one that is not known any more is forgotten already."""


class Fields(Protocol):
    """The functions of `payments/providers/<name>/fields.py`: the provider's fields in the page of the shop.

    `places` fills in the addresses of scripts.json, `settings` is what its script in the page may know, `typed` what
    that script brings back: never card data.
    """

    def places(self, currency: str) -> dict[str, str]: ...
    def settings(self, order: "Order", method: dict[str, Any]) -> dict[str, Any]: ...
    def create(self, typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created: ...


@dataclass(frozen=True)
class Wallet:
    """What a wallet says of its owner. `token` is its leave to take the money, `amount` the most it allows (None: any).

    `address` has the keys of checkout.address.KEYS; `option` is the way of delivery that was chosen in the wallet.
    """

    token: str
    email: str
    address: dict[str, str]
    phone: str = ""
    option: str = ""
    amount: int | None = None
    currency: str = ""


class Express(Protocol):
    """The functions of `payments/providers/<name>/express.py`: a wallet's button in the cart.

    A wallet has either a page of its own, which `begin` opens and answers with (reference, address), or a button that
    the provider's script draws in a page of the shop, whose `settings` it may know. `wallet` reads, from the provider,
    who came back; None when nobody agreed. `create` collects, with the token of the wallet.
    """

    def begin(self, cart: Any, method: dict[str, Any], return_url: str, quote_url: str) -> tuple[str, str]: ...
    def settings(self, cart: Any, method: dict[str, Any]) -> dict[str, Any]: ...
    def wallet(self, cart: Any, ref: str, answer: Mapping[str, str]) -> Wallet | None: ...
    def create(self, token: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created: ...
