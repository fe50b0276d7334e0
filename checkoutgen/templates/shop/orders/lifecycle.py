"""What happens to an order after it was placed. Every function here works on an order locked by `lock`."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, Value, When
from django.utils import timezone

from catalogue.models import Variant
from common.rows import for_update, locked
from config.shop import SHOP, section
from mails.outbox import enqueue

from .models import Fulfilment, Order, OrderEvent, OrderLine
from .states import IllegalMove, OrderState, check_move


def lock(order_id: int) -> Order:
    """The order as it is now, held until the transaction ends (SQLite holds the whole database by BEGIN IMMEDIATE)."""
    return locked(Order, order_id)


def record(order: Order, kind: str, *, actor: str = "", **data: Any) -> None:
    OrderEvent.objects.create(order=order, kind=kind, actor=actor, data=data)


def move(order: Order, state: str, *, actor: str = "", **data: Any) -> None:
    """Change the state and write it down; IllegalMove when `states.ORDER_MOVES` does not lead there."""
    check_move(order.state, state)
    old, order.state = order.state, OrderState(state)
    order.save(update_fields=["state", "payment_method", "confirmed_at", "expires_at"])
    record(order, state, actor=actor, was=old, **data)


def mail_buyer(order: Order, kind: str, *, subject: str = "", **context: Any) -> None:
    """One mail of a kind to the buyer. `subject` tells several of the same kind apart (a parcel, a refund)."""
    key = f"{kind}:{order.number}" + (f":{subject}" if subject else "")
    enqueue(kind, order=order, to=order.email, language=order.language, key=key, context=context)


def mail_seller(order: Order, kind: str, *, subject: str = "", **context: Any) -> None:
    key = f"{kind}:{order.number}" + (f":{subject}" if subject else "")
    language = SHOP["shop"]["languages"][0]
    enqueue(kind, order=order, to=SHOP["seller"]["email"], language=language, key=key, context=context)


def confirm(order: Order, *, actor: str = "", now: datetime | None = None) -> None:
    """The contract stands: tell the buyer, tell the seller."""
    order.confirmed_at = order.confirmed_at or now or timezone.now()
    order.expires_at = None
    move(order, OrderState.CONFIRMED, actor=actor)
    mail_buyer(order, "order-confirmation")
    mail_seller(order, "new-order")


def review(order: Order, reason: str, *, actor: str = "", **data: Any) -> None:
    """Money and order disagree: stop, and tell the seller. An order already under review collects the next reason."""
    order.expires_at = None
    if order.state == OrderState.REVIEW:
        order.save(update_fields=["expires_at"])
        record(order, "review", actor=actor, reason=reason, **data)
    else:
        move(order, OrderState.REVIEW, actor=actor, reason=reason, **data)
        if order.confirmed_at is None:
            mail_buyer(order, "order-received")  # the confirmation comes when it was looked at
    number = order.events.filter(kind="review").count()
    mail_seller(order, "order-review", subject=str(number), reason=reason, **data)


# Asks and takes in one statement, so that two buyers cannot both get the last piece.
_TAKE = f"UPDATE {Variant._meta.db_table} SET stock = stock - %s WHERE id = %s AND stock >= %s"  # noqa: S608  our table


def take_stock(wanted: dict[int, int]) -> bool:
    """Take quantities (by variant id) of variants whose stock is counted: all of them, or none and False."""
    with transaction.atomic(), connection.cursor() as cursor:
        for pk, quantity in sorted(wanted.items()):
            cursor.execute(_TAKE, [quantity, pk, quantity])
            if cursor.rowcount != 1:
                transaction.set_rollback(True)
                return False
    return True


def counted(lines: list[OrderLine]) -> dict[int, int]:
    """Quantities by variant id, of the variants whose stock is counted; rows are locked in one order, so that two
    buyers of the same two things never wait for each other."""
    wanted: Counter[int] = Counter()
    for line in lines:
        if line.variant_id:
            wanted[line.variant_id] += line.quantity
    if not wanted:
        return {}
    marks = ",".join(["%s"] * len(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {Variant._meta.db_table} WHERE id IN ({marks}) AND stock IS NOT NULL"  # noqa: S608  marks
            f" ORDER BY id{for_update()}",
            list(wanted),
        )
        return {pk: wanted[pk] for (pk,) in cursor.fetchall()}


def take_stock_again(order: Order) -> bool:
    """For an order that had given its stock back: True when everything could be taken once more."""
    lines = list(order.lines.filter(stock_taken=0))
    wanted = counted(lines)
    if not take_stock(wanted):
        return False
    order.lines.filter(stock_taken=0, variant__in=wanted).update(stock_taken=F("quantity"))
    return True


def give_back_stock(order: Order) -> None:
    """Free what the lines still hold; a second call finds nothing to free."""
    held: Counter[int] = Counter()
    for variant, taken in order.lines.filter(stock_taken__gt=0).values_list("variant", "stock_taken"):
        if variant:
            held[variant] += taken
    rows = Variant.objects.select_for_update().filter(pk__in=held).order_by("pk").values_list("pk", flat=True)
    pks = list(rows)
    if pks:
        quantity = Case(*[When(pk=pk, then=Value(held[pk])) for pk in pks], output_field=IntegerField())
        Variant.objects.filter(pk__in=pks, stock__isnull=False).update(stock=F("stock") + quantity)
    order.lines.filter(stock_taken__gt=0).update(stock_taken=0)


def tracking_url(order: Order, number: str) -> str:
    """The carrier's page of a parcel, from the delivery method's pattern in the specification."""
    for method in section("delivery").get("methods", []):
        if method["id"] == order.delivery.get("method") and method.get("tracking_url") and number:
            return method["tracking_url"].replace("{number}", number)
    return ""


def is_collected(order: Order) -> bool:
    return order.delivery.get("kind") == "click-and-collect"


@transaction.atomic
def make_ready(order: Order, *, actor: str = "") -> None:
    """The goods wait in the store: tell the buyer to come. IllegalMove when the order is not confirmed (any more)."""
    order = lock(order.pk)
    if order.state != OrderState.CONFIRMED:
        raise IllegalMove(f"an order that is {order.state} cannot be collected")
    record(order, "ready", actor=actor)
    mail_buyer(order, "ready-for-pickup")


def unsent(order: Order) -> dict[str, int]:
    """What has not left yet: quantities by SKU."""
    wanted: Counter[str] = Counter()
    for line in order.lines.all():
        wanted[line.sku] += line.quantity
    for parcel in order.fulfilments.all():
        wanted.subtract({each["sku"]: each["quantity"] for each in parcel.lines})
    return +wanted


@transaction.atomic
def arrived(order: Order, *, actor: str = "", now: datetime | None = None) -> None:
    """The last parcel is with the buyer: tell until when goods may be given back. IllegalMove before all has left."""
    order = lock(order.pk)
    if order.state != OrderState.FULFILLED or is_collected(order) or order.events.filter(kind="delivered").exists():
        raise IllegalMove(f"an order that is {order.state} cannot have arrived")
    at = (now or timezone.now()).isoformat(timespec="seconds")
    record(order, "delivered", actor=actor, at=at)
    mail_buyer(order, "delivered", at=at)


@transaction.atomic
def ship(
    order: Order,
    *,
    tracking_number: str = "",
    carrier: str = "",
    actor: str = "",
    quantities: dict[str, int] | None = None,
) -> Fulfilment:
    """Hand goods over to the carrier (or to the buyer): all that is left, or a parcel of some of them.

    The buyer is told of each parcel; with the last one the order is fulfilled. Money that was reserved becomes due in
    the same transaction. IllegalMove when the order is not confirmed, or has not got what is to leave.
    """
    from payments.captures import owe  # payments work on orders: only here does an order call for money

    order = lock(order.pk)
    check_move(order.state, OrderState.FULFILLED)
    rest = unsent(order)
    sent = rest if quantities is None else {sku: quantity for sku, quantity in quantities.items() if quantity}
    if not sent or any(not 0 < quantity <= rest.get(sku, 0) for sku, quantity in sent.items()):
        raise IllegalMove("this is not left to be sent")
    fulfilment = Fulfilment.objects.create(
        order=order,
        carrier=carrier or order.delivery.get("carrier") or "",
        tracking_number=tracking_number,
        tracking_url=tracking_url(order, tracking_number),
        lines=[{"sku": sku, "quantity": quantity} for sku, quantity in sent.items()],
    )
    last = sent == rest
    owe(order, fulfilment, last=last)
    if last:
        move(order, OrderState.FULFILLED, actor=actor, fulfilment=fulfilment.pk)
    else:
        record(order, "shipped_in_part", actor=actor, fulfilment=fulfilment.pk)
    if is_collected(order):
        mail_buyer(order, "delivered", at=fulfilment.shipped_at.isoformat())
    else:
        mail_buyer(order, "shipped", subject=str(fulfilment.pk), fulfilment=fulfilment.pk)
    return fulfilment


@transaction.atomic
def accept(order: Order, *, actor: str = "") -> bool:
    """The seller looked at an order under review and lets it stand. False when its stock is gone meanwhile."""
    order = lock(order.pk)
    sent = order.fulfilments.exists() and not unsent(order)
    state = OrderState.FULFILLED if sent else OrderState.CONFIRMED
    check_move(order.state, state)
    if state == OrderState.FULFILLED:
        move(order, state, actor=actor)
        return True
    if not take_stock_again(order):
        return False
    confirm(order, actor=actor)
    return True
