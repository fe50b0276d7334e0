"""Cards and wallets that buyers let a provider keep for their next purchase: whose they are and who may pay with them.

They belong to an account, never to a session, and only their owner pays with them, present and by the button of the
review page. What talks to the provider about them is `vault`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from config.shop import HAS_ACCOUNTS, SHOP, section
from orders.models import Order

from . import methods
from .adapters import saving
from .facts import Token
from .models import PaymentAttempt, SavedMethod

if TYPE_CHECKING:
    from accounts.models import User

# Of the sentences below: a new one whenever they say something else.
CONSENT_VERSION = "2026-11-22"
# How long something that a guest consented to waits for the account that it is meant for.
GUEST_PATIENCE = timedelta(hours=24)

State = SavedMethod.State


@dataclass(frozen=True)
class Wish:
    """What a buyer wants beside the method: to pay with `card`, or, by the sentence they ticked, to have it saved."""

    card: SavedMethod | None = None
    consent: str = ""


NOTHING = Wish()


# -- consent --------------------------------------------------------------------------------------------------------


def is_offered(method: dict[str, Any], user: "User | None" = None) -> bool:
    """Whether this buyer may have it saved: guests too, where they can open an account after paying."""
    account = (section("checkout").get("identification") or {}).get("account", "after-payment")
    return bool(method.get("save")) and HAS_ACCOUNTS and (user is not None or account != "none")


def box(method: dict[str, Any], user: "User | None", *, ticked: bool = False) -> dict[str, Any]:
    """The box to tick below a way to pay: `name`, `label`, `sentence`, `ticked`."""
    label, sentence = consent(method, user)
    return {"name": f"payment-save-{method['id']}", "label": label, "sentence": sentence, "ticked": ticked}


def consent(method: dict[str, Any], user: "User | None") -> tuple[str, str]:
    """What the box says, and the sentence beside it: who keeps what, and until when."""
    names = {"provider": saving(methods.provider_of(method)).NAME, "shop": SHOP["shop"]["name"]}
    if method["kind"] == "card":
        label = _("Save this card for my next purchase")
        who = _("%(provider)s keeps the card for %(shop)s. We keep only its brand, last four digits and expiry date.")
    else:
        label = _("Save this way to pay for my next purchase")
        who = _("%(provider)s keeps your agreement for %(shop)s. We keep only that there is one.")
    until = _("You can remove it at any time in your account.")
    if user is None:
        until = _("It is kept only if you create an account after paying; there you can remove it at any time.")
    return label, f"{who % names} {until}"


def note(attempt: PaymentAttempt, wish: Wish, now: datetime) -> None:
    """Write down what an attempt is made with: something saved, or a consent whose token follows when it was paid."""
    if wish.card:
        SavedMethod.objects.filter(pk=wish.card.pk).update(used_at=now)
    if not wish.consent:
        return
    SavedMethod.objects.create(
        user=attempt.order.user,
        attempt=attempt,
        method=attempt.method,
        provider=attempt.provider,
        consent_text=wish.consent,
        consent_version=CONSENT_VERSION,
        consented_at=now,
        next_check_at=now,
    )


def asked(attempt: PaymentAttempt) -> SavedMethod | None:
    """What the provider shall keep with this payment, if anything."""
    if not (methods.method(attempt.method) or {}).get("save"):
        return None
    return SavedMethod.objects.filter(attempt=attempt, state=State.ASKED).first()


# -- paying ---------------------------------------------------------------------------------------------------------


def of(user: Any) -> list[SavedMethod]:
    """What an account has saved, the last used first."""
    if user is None or not user.is_authenticated:
        return []
    shown = user.saved_methods.filter(state__in=(State.SAVED, State.GONE))
    return list(shown.order_by(F("used_at").desc(nulls_last=True), "-pk"))


def choices(user: Any, open_methods: Iterable[dict[str, Any]]) -> list[SavedMethod]:
    """What an account can choose from where these methods are open; what has expired is among it, not `usable`."""
    saving_now = {each["id"]: methods.provider_of(each) for each in open_methods if each.get("save")}
    if not saving_now:
        return []
    return [each for each in of(user) if saving_now.get(each.method) == each.provider]


def wished(method: dict[str, Any], key: str, save: bool, user: Any, order: Order) -> Wish:
    """What a form or a cart asks for, as far as this visitor may have it: the order and the card are their own."""
    user = user if user is not None and user.is_authenticated else None
    if order.user_id != (user.pk if user else None):  # somebody with the order's link
        return NOTHING
    if key:
        return Wish(card=next((each for each in choices(user, [method]) if each.key == key and each.usable), None))
    if save and is_offered(method, user):
        return Wish(consent="\n".join(consent(method, user)))
    return NOTHING


def may_pay(card: SavedMethod, order: Order, method: dict[str, Any]) -> bool:
    """The last word, inside the transaction that opens the attempt."""
    mine = SavedMethod.objects.filter(pk=card.pk, user=order.user_id, state=State.SAVED, method=method["id"])
    return order.user_id is not None and card.provider == methods.provider_of(method) and mine.exists()


def same(live: PaymentAttempt, method: dict[str, Any], wish: Wish) -> bool:
    """Whether a live attempt is the one that is wished for."""
    if live.saved_id != (wish.card.pk if wish.card else None):
        return False
    return not method.get("save") or SavedMethod.objects.filter(attempt=live).exists() == bool(wish.consent)


def refused(attempt: PaymentAttempt, code: str) -> None:
    if code == "token_gone" and attempt.saved_id:
        SavedMethod.objects.filter(pk=attempt.saved_id, state=State.SAVED).update(state=State.GONE)


def gone(provider: str, token: str) -> int:
    """The provider says that a token is no longer good. Returns how many were."""
    if not token:
        return 0
    return SavedMethod.objects.filter(provider=provider, token=token, state=State.SAVED).update(state=State.GONE)


def renewed(provider: str, token: Token) -> int:
    """The bank sent its owner a new card in place of the old one. Returns how many rows show it now."""
    mine = SavedMethod.objects.filter(provider=provider, token=token.token, state=State.SAVED)
    return mine.update(**shown(token))


def shown(token: Token) -> dict[str, Any]:
    """The fields that say what was saved, as its owner sees it."""
    return {
        "brand": token.brand[:40],
        "last4": token.last4[-4:],
        "exp_year": token.exp_year,
        "exp_month": token.exp_month,
    }


# -- whose it is ----------------------------------------------------------------------------------------------------


def waits(order: Order) -> bool:
    """Whether a guest consented with this order to something that only an account can keep."""
    return any(method.get("save") for method in methods.methods()) and (
        SavedMethod.objects.filter(attempt__order=order, user=None, state__in=(State.ASKED, State.SAVED)).exists()
    )


def claim(order: Order, user: "User") -> None:
    """The guest who paid and consented opens an account: from now on it is theirs."""
    waiting = SavedMethod.objects.filter(attempt__order=order, user=None)
    waiting.filter(state=State.ASKED).update(user=user)
    waiting.filter(state=State.SAVED).update(user=user, next_check_at=None)


def remove(rows: "QuerySet[SavedMethod]") -> int:
    """Hide from its owner at once; `vault` has the provider forget it, as soon as it answers."""
    return rows.exclude(state=State.REMOVED).update(state=State.REMOVED, next_check_at=timezone.now())


def export(user: "User") -> list[dict[str, Any]]:
    """What is known about what an account has saved, for the copy of its personal data."""
    return [
        {
            "method": row.method,
            "provider": row.provider,
            "brand": row.brand,
            "last4": row.last4,
            "expires": row.expires.isoformat()[:7] if row.expires else "",
            "state": row.state,
            "consent": {
                "text": row.consent_text,
                "version": row.consent_version,
                "at": row.consented_at.isoformat(timespec="seconds"),
            },
            "last_used": row.used_at.isoformat(timespec="seconds") if row.used_at else "",
        }
        for row in user.saved_methods.all()
    ]


def due(now: datetime) -> "QuerySet[SavedMethod]":
    """What `vault` has to see to. A row whose account was erased has no date left, and no owner."""
    return SavedMethod.objects.filter(Q(next_check_at__lte=now) | Q(user=None, next_check_at=None))
