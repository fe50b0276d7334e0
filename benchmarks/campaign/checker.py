"""The books after the storm: shop, provider and mailbox must tell the same story. Plain SQL, no code of the shop."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .processes import COUPON

SOLD = ("confirmed", "fulfilled")


class Books:
    """Reads, and moves the clock, in SQLite or PostgreSQL alike."""

    def __init__(self, out: Path, database_url: str) -> None:
        self.out, self.url = out, database_url
        self.now = "now()" if database_url else "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"  # as Django writes it

    def _run(self, sql: str, *, read: bool) -> list[tuple[Any, ...]]:
        if self.url:
            import psycopg

            with psycopg.connect(self.url, autocommit=True) as connection:
                cursor = connection.execute(sql.replace("%", "%%"))
                return cursor.fetchall() if read else []
        connection = sqlite3.connect(self.out / "var/shop.sqlite3", timeout=20, isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._run(sql, read=True)

    def one(self, sql: str) -> Any:
        return self.rows(sql)[0][0]

    def write(self, sql: str) -> None:
        self._run(sql, read=False)

    def fast_forward(self) -> None:
        """Waiting times pass at once: the time to pay, retries of mails and webhooks, questions to the provider.

        What a worker is just doing may be done a second time; that must not matter.
        """
        now = self.now
        self.write(
            f"UPDATE mails_outboxmail SET due_at = {now} WHERE sent_at IS NULL AND (due_at IS NULL OR due_at > {now})"
        )
        self.write(
            f"UPDATE orders_order SET expires_at = {now} "
            f"WHERE expires_at > {now} AND state IN ('draft', 'pending_payment')"
        )
        self.write(f"UPDATE demo_demoevent SET due_at = {now} WHERE due_at > {now}")
        self.write(f"UPDATE payments_paymentattempt SET next_check_at = {now} WHERE next_check_at > {now}")
        self.write(f"UPDATE payments_refund SET next_check_at = {now} WHERE next_check_at > {now}")

    def queued(self) -> int:
        """Mails and webhooks that are due and wait for a worker."""
        tables = ("mails_outboxmail", "demo_demoevent")
        return sum(self.one(f"SELECT count(*) FROM {table} WHERE due_at <= {self.now}") for table in tables)

    def unsettled(self) -> dict[str, int]:
        """What still waits for somebody."""
        waits = {
            "orders": "SELECT count(*) FROM orders_order WHERE state IN ('draft', 'pending_payment')",
            "mails": "SELECT count(*) FROM mails_outboxmail WHERE sent_at IS NULL",
            "webhooks": "SELECT count(*) FROM demo_demoevent WHERE due_at IS NOT NULL AND trick = ''",
            "refunds": "SELECT count(*) FROM payments_refund WHERE state IN ('requested', 'pending')",
        }
        return {name: count for name, sql in waits.items() if (count := self.one(sql))}


@dataclass(frozen=True)
class Seen:
    """What was noted outside the shop."""

    stock_at_start: int
    thanked: set[str]
    mailbox: Path
    logs: Path
    server_errors: int
    recovery_seconds: float


Violations = Iterable[str]
CHECKS: dict[int, tuple[str, Callable[[Books, Seen], Violations]]] = {}


def invariant(number: int, says: str) -> Callable[[Callable[[Books, Seen], Violations]], Any]:
    def keep(check: Callable[[Books, Seen], Violations]) -> Any:
        CHECKS[number] = (says, check)
        return check

    return keep


def run(books: Books, seen: Seen) -> dict[int, list[str]]:
    """Violations by number of the invariant; empty when all hold."""
    found = {number: list(check(books, seen)) for number, (_, check) in sorted(CHECKS.items())}
    return {number: problems for number, problems in found.items() if problems}


CHARGES = """
SELECT p.key, p.taken, p.currency, p.state,
       (SELECT coalesce(sum(r.amount), 0) FROM demo_demorefund r WHERE r.payment_id = p.id),
       o.number, o.state, o.total_amount, o.currency
FROM demo_demopayment p
LEFT JOIN payments_paymentattempt a ON a.key = p.key
LEFT JOIN orders_order o ON o.id = a.order_id
WHERE p.state IN ('paid', 'reversed')
"""


@invariant(1, "every charge of the provider belongs to exactly one order, which is sold, under review, or paid back")
def charges_have_orders(books: Books, _: Seen) -> Violations:
    for key, taken, _cur, _state, refunded, number, state, _total, _currency in books.rows(CHARGES):
        if number is None:
            yield f"charge {key} has no order"
        elif state not in (*SOLD, "review") and refunded != taken:
            yield f"{number} is {state}, but {taken - refunded} of its charge was kept"


@invariant(2, "every sold order has exactly one charge that is not paid back whole")
def sold_orders_have_one_charge(books: Books, _: Seen) -> Violations:
    kept: Counter[str] = Counter()
    for _key, taken, _cur, _state, refunded, number, _os, total, _currency in books.rows(CHARGES):
        if number and (taken - refunded > 0 or taken == total == refunded == 0):
            kept[number] += 1
    for (number,) in books.rows("SELECT number FROM orders_order WHERE state IN ('confirmed', 'fulfilled')"):
        if kept[number] != 1:
            yield f"{number} is sold with {kept[number]} charges"


@invariant(3, "captured minus refunded is the same in the shop and at the provider, by currency")
def money_agrees(books: Books, _: Seen) -> Violations:
    there: Counter[str] = Counter()
    for _key, taken, currency, _state, refunded, *_rest in books.rows(CHARGES):
        there[currency] += taken - refunded
    here: Counter[str] = Counter()
    for currency, amount in books.rows(
        "SELECT currency, sum(amount) FROM payments_paymentevent "
        "WHERE kind = 'captured' AND outcome IN ('applied', 'review') GROUP BY currency"
    ):
        here[currency] += int(amount)
    for currency, amount in books.rows(
        "SELECT a.currency, sum(r.amount) FROM payments_refund r JOIN payments_paymentattempt a ON a.id = r.attempt_id "
        "WHERE r.state != 'failed' GROUP BY a.currency"
    ):
        here[currency] -= int(amount)
    sold: Counter[str] = Counter()
    for currency, amount in books.rows(
        "SELECT currency, sum(total_amount) FROM orders_order "
        "WHERE state IN ('confirmed', 'fulfilled') GROUP BY currency"
    ):
        sold[currency] += int(amount)
    for currency, amount in books.rows(
        "SELECT o.currency, sum(r.amount) FROM payments_refund r JOIN orders_order o ON o.id = r.order_id "
        "WHERE r.state != 'failed' AND o.state IN ('confirmed', 'fulfilled') AND r.reason != 'paid twice' "
        "GROUP BY o.currency"
    ):
        sold[currency] -= int(amount)
    for _key, taken, currency, _state, refunded, _number, state, *_rest in books.rows(CHARGES):
        if state == "review":
            sold[currency] += taken - refunded
    for currency in {*there, *here, *sold}:
        if not there[currency] == here[currency] == sold[currency]:
            yield f"{currency}: provider {there[currency]}, shop {here[currency]}, orders {sold[currency]}"


@invariant(4, "a sold order and its charge have the same amount and currency")
def amounts_agree(books: Books, _: Seen) -> Violations:
    for _key, taken, currency, _state, refunded, number, state, total, order_currency in books.rows(CHARGES):
        whole_back = taken == refunded
        if state in SOLD and not whole_back and (taken, currency) != (total, order_currency):
            yield f"{number}: {total} {order_currency} ordered, {taken} {currency} charged"


@invariant(5, "no cart became two orders (every buyer of the campaign has one cart and one address)")
def one_order_a_cart(books: Books, _: Seen) -> Violations:
    for email, count in books.rows("SELECT email, count(*) FROM orders_order GROUP BY email HAVING count(*) > 1"):
        yield f"{email}: {count} orders"


@invariant(6, "stock never negative; what orders hold and what is left is what there was")
def stock_adds_up(books: Books, seen: Seen) -> Violations:
    if negative := books.one("SELECT count(*) FROM catalogue_variant WHERE stock < 0"):
        yield f"{negative} variants below zero"
    left = books.one("SELECT coalesce(sum(stock), 0) FROM catalogue_variant WHERE stock IS NOT NULL")
    held = books.one("SELECT coalesce(sum(stock_taken), 0) FROM orders_orderline")
    if left + held != seen.stock_at_start:
        yield f"{left} left + {held} held != {seen.stock_at_start}"
    sold = books.one(
        "SELECT coalesce(sum(l.quantity), 0) FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id "
        "WHERE o.state IN ('confirmed', 'fulfilled')"
    )
    under_review = books.one(
        "SELECT coalesce(sum(l.stock_taken), 0) FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id "
        "WHERE o.state = 'review'"
    )
    if sold + under_review != held:
        yield f"orders sold {sold} and hold {under_review} under review, lines hold {held}"


@invariant(7, "closed orders hold no stock")
def closed_orders_hold_nothing(books: Books, _: Seen) -> Violations:
    sql = (
        "SELECT o.number FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id "
        "WHERE o.state IN ('cancelled', 'expired') AND l.stock_taken > 0"
    )
    yield from (f"{number} still holds stock" for (number,) in books.rows(sql))


@invariant(8, "no order is left waiting")
def nothing_waits(books: Books, _: Seen) -> Violations:
    for number, state in books.rows(
        "SELECT number, state FROM orders_order WHERE state IN ('draft', 'pending_payment')"
    ):
        yield f"{number} is {state}"


@invariant(9, "every sold order has its confirmation, always the same mail; no order that was never sold has one")
def mails_agree(books: Books, seen: Seen) -> Violations:
    delivered = Counter(line.split("\t")[0] for line in seen.mailbox.read_text(encoding="utf-8").splitlines())
    known = {row[0]: row[1:] for row in books.rows(
        "SELECT m.message_id, m.kind, o.number, o.confirmed_at "
        "FROM mails_outboxmail m LEFT JOIN orders_order o ON o.id = m.order_id"
    )}  # fmt: skip
    confirmations = Counter(number for kind, number, _at in known.values() if kind == "order-confirmation")
    arrived = {known[mail][1] for mail in delivered if mail in known and known[mail][0] == "order-confirmation"}
    yield from (f"{mail} was never written by the shop" for mail in delivered if mail not in known)
    for number, confirmed_at in books.rows("SELECT number, confirmed_at FROM orders_order"):
        if confirmed_at is not None and number not in arrived:
            yield f"{number} was sold and its buyer not told"
        if confirmed_at is None and confirmations[number]:
            yield f"{number} was never sold and its buyer was told so"
        if confirmations[number] > 1:
            yield f"{number} has {confirmations[number]} confirmations"


@invariant(10, "a coupon is used as often as allowed")
def coupons_are_limited(books: Books, _: Seen) -> Violations:
    revived = "SELECT order_id FROM orders_orderevent WHERE kind = 'expired'"
    used = books.one(
        f"SELECT count(*) FROM orders_order WHERE coupon_code = '{COUPON['code']}' "
        f"AND state NOT IN ('cancelled', 'expired') AND id NOT IN ({revived})"
    )
    shop = json.loads((books.out / "config/shop.json").read_text(encoding="utf-8"))
    allowed = shop["checkout"]["coupons"][0]["uses"]
    if used > allowed:
        yield f"{used} uses of {allowed}"


@invariant(11, "order numbers without gap or double")
def numbers_follow(books: Books, _: Seen) -> Violations:
    numbers = sorted(int(re.findall(r"\d+", number)[-1]) for (number,) in books.rows("SELECT number FROM orders_order"))
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{len(numbers)} orders, highest number {numbers[-1] if numbers else 0}"


@invariant(12, "whoever was thanked has an order that stood, and whoever was charged has an order page")
def thanks_were_meant(books: Books, seen: Seen) -> Violations:
    stood = {
        number
        for (number,) in books.rows(
            "SELECT number FROM orders_order WHERE confirmed_at IS NOT NULL OR state = 'review'"
        )
    }
    closed = dict(books.rows("SELECT number, state FROM orders_order WHERE confirmed_at IS NULL"))
    for number in seen.thanked - stood:
        yield f"{number} was thanked for and is {closed.get(number, 'nowhere')}"


@invariant(13, "orders only moved as the table of states allows")
def history_is_legal(books: Books, _: Seen) -> Violations:
    moves: dict[str, dict[str, str]] = _moves(books.out)
    now: dict[int, str] = {}
    for order, kind, text in books.rows("SELECT order_id, kind, data FROM orders_orderevent ORDER BY id"):
        data = json.loads(text) if isinstance(text, str) else text
        if "was" not in data:
            continue
        was = now.get(order, "draft")
        if data["was"] != was or kind not in moves.get(was, {}):
            yield f"order {order}: {was} -> {kind} (says it was {data['was']})"
        now[order] = kind
    for order, number, state in books.rows("SELECT id, number, state FROM orders_order"):
        if now.get(order, "draft") != state:
            yield f"{number} is {state}, its history ends in {now.get(order, 'draft')}"


def _moves(out: Path) -> dict[str, dict[str, str]]:
    import ast

    for node in ast.walk(ast.parse((out / "orders/states.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "ORDER_MOVES" and node.value:
            return dict(ast.literal_eval(node.value))
    raise LookupError("ORDER_MOVES")


@invariant(14, "the database is sound")
def database_is_sound(books: Books, _: Seen) -> Violations:
    if books.url:
        return
    if (word := books.one("PRAGMA integrity_check")) != "ok":
        yield str(word)
    yield from (f"foreign key {row}" for row in books.rows("PRAGMA foreign_key_check"))


@invariant(15, "no server error without a line in the log")
def errors_are_logged(_: Books, seen: Seen) -> Violations:
    logged = sum(text.count('"level": "ERROR"') for text in _logs(seen))
    if seen.server_errors > logged:
        yield f"{seen.server_errors} answers of 5xx, {logged} errors logged"


@invariant(16, "every attempt took and gave back what the provider's ledger says")
def ledgers_agree(books: Books, _: Seen) -> Violations:
    there = {key: (taken, refunded) for key, taken, _c, _s, refunded, *_rest in books.rows(CHARGES)}
    sql = """
    SELECT a.key,
      (SELECT coalesce(sum(e.amount), 0) FROM payments_paymentevent e
       WHERE e.attempt_id = a.id AND e.kind = 'captured' AND e.outcome IN ('applied', 'review')),
      (SELECT coalesce(sum(r.amount), 0) FROM payments_refund r WHERE r.attempt_id = a.id AND r.state = 'done')
    FROM payments_paymentattempt a
    """
    for key, taken, refunded in books.rows(sql):
        if (int(taken), int(refunded)) != there.get(key, (0, 0)):
            yield f"attempt {key}: shop {(int(taken), int(refunded))}, provider {there.get(key, (0, 0))}"


@invariant(17, "forged messages changed nothing")
def forgers_failed(books: Books, _: Seen) -> Violations:
    yield from (f"event {event} was taken in" for (event,) in books.rows(
        "SELECT event_id FROM payments_paymentevent WHERE event_id LIKE 'forged-%'"
    ))  # fmt: skip


@invariant(18, "settled within 60 seconds after the last fault")
def recovery_is_quick(books: Books, seen: Seen) -> Violations:
    if seen.recovery_seconds > 60:
        yield f"{seen.recovery_seconds:.0f} seconds, still waiting: {books.unsettled()}"


@invariant(19, "no buyer's name or address in a log")
def logs_name_nobody(_: Books, seen: Seen) -> Violations:
    for text in _logs(seen):
        if match := re.search(r".{0,60}[Cc]anary[- ]\d.{0,60}", text):
            yield match[0]


def _logs(seen: Seen) -> Iterable[str]:
    return (path.read_text(encoding="utf-8", errors="replace") for path in sorted(seen.logs.glob("*.log")))
