"""One look at an open cart on its way to an order: what every step and page of the checkout needs to know."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cart.models import Cart
from config.shop import MARKETS, SHOP
from delivery.methods import Option, options
from payments import saved
from payments.methods import available
from payments.wallets import approved

if TYPE_CHECKING:
    from accounts.models import User
    from payments.models import SavedMethod


class Checkout:
    """`cart.data` holds the valid answers by step, and under "drafts" what was typed but not accepted yet.

    A draft is {"fields": {name: text}, "checked": bool}: shown with its errors when it was checked, without them when
    the buyer only asked for the form of another country or the price of another way of delivery.
    """

    def __init__(self, cart: Cart, user: "User | None", now: datetime) -> None:
        self.cart, self.user, self.now = cart, user, now
        self.countries = list(MARKETS)

    # --- what was typed ---

    def draft(self, slug: str) -> Mapping[str, Any] | None:
        return (self.cart.data.get("drafts") or {}).get(slug)

    def checked(self, slug: str) -> Mapping[str, str] | None:
        """Fields of a draft that has errors to show."""
        draft = self.draft(slug)
        return draft["fields"] if draft and draft["checked"] else None

    def unchecked(self, slug: str, part: str = "") -> dict[str, str]:
        """Fields of a draft without errors to show, by key; only those with the prefix `part`, if given."""
        draft = self.draft(slug)
        if not draft or draft["checked"]:
            return {}
        prefix = f"{part}-" if part else ""
        return {name.removeprefix(prefix): text for name, text in draft["fields"].items() if name.startswith(prefix)}

    def keep_draft(self, slug: str, fields: Mapping[str, str], *, checked: bool) -> None:
        self.cart.data.setdefault("drafts", {})[slug] = {"fields": dict(fields), "checked": checked}

    def accept(self, slug: str, answer: Mapping[str, Any]) -> None:
        if answer:
            self.cart.data[slug] = answer
        drafts = self.cart.data.pop("drafts", None) or {}
        drafts.pop(slug, None)
        if drafts:
            self.cart.data["drafts"] = drafts

    # --- delivery ---

    @property
    def country(self) -> str:
        """The country of delivery is the market: its taxes and its currency hold."""
        return self.cart.market

    @cached_property
    def options(self) -> list[Option]:
        return options(self.cart, self.country, self.now)

    def choice(self, key: str) -> str:
        """``method`` or ``store`` of the delivery as last chosen, accepted or not; empty when nothing was."""
        fields = (self.draft("delivery") or {}).get("fields") or {}
        return fields.get(f"delivery-{key}") or (self.cart.data.get("delivery") or {}).get(key) or ""

    @cached_property
    def option(self) -> Option | None:
        """The chosen way of delivery, else the one to preselect; None when nothing goes to the country."""
        chosen = [option for option in self.options if option.id == self.choice("method")]
        return next(iter(chosen or self.options), None)

    @property
    def address(self) -> dict[str, str]:
        return (self.cart.data.get("delivery") or {}).get("address") or {}

    @property
    def has_address(self) -> bool:
        """Whether there is a delivery address that an invoice could go to as well."""
        return bool(self.option and self.option.needs_address)

    # --- amounts ---

    @cached_property
    def summary(self) -> Any:
        from cart.summary import summarize

        return summarize(self.cart, self.option)

    @property
    def total(self) -> int:
        return self.summary.totals.total

    def marked(self, method: dict[str, Any]) -> dict[str, Any]:
        """The method, "approved" when the buyer's wallet has given leave to take the total by it."""
        leave = approved(self.cart, method["id"], self.total, self.cart.currency)
        return method | {"approved": True} if leave else method

    @property
    def business(self) -> bool:
        return SHOP["audience"] == "b2b" or bool((self.cart.data.get("contact") or {}).get("company"))

    @cached_property
    def methods(self) -> list[dict[str, Any]]:
        """The ways to pay that are open to this cart."""
        kind = self.option.kind if self.option else ""
        wanted = ("b2b", "mixed", None) if self.business else ("b2c", "mixed", None)
        found = available(self.country, self.total, self.cart.currency, kind)
        return [method for method in found if method.get("audience") in wanted]

    @cached_property
    def cards(self) -> "list[SavedMethod]":
        """What the buyer has saved for the ways to pay that are open; not all of it may be `usable` any more."""
        return saved.choices(self.user, self.methods)
