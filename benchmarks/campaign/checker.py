"""The books after the storm: shop, provider and mailbox must tell the same story. Plain SQL, no code of the shop."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .processes import COUPON

SOLD = ("confirmed", "fulfilled")

# A reservation that lasts for days still lasts when the campaign ends.
SOON = "NOT (becomes = 'expired' AND payment_id IN (SELECT id FROM demo_demopayment WHERE scenario <> 'short-reserve'))"

# What the provider holds or held, and the order that it belongs to.
LEDGER = """
SELECT p.key AS key, p.state AS payment_state, p.amount AS amount, p.taken AS taken, p.currency AS currency,
       (SELECT coalesce(sum(r.amount), 0) FROM demo_demorefund r WHERE r.payment_id = p.id) AS refunded,
       p.capture_later AS later, o.number AS number, o.state AS order_state, o.total_amount AS total,
       o.currency AS order_currency, o.shipping_address AS address
FROM demo_demopayment p
LEFT JOIN payments_paymentattempt a ON a.key = p.key
LEFT JOIN orders_order o ON o.id = a.order_id
WHERE p.state IN ('paid', 'reversed', 'authorized') OR p.taken > 0
"""

# What the shop believes of each attempt: taken, and given back.
SHOP = """
SELECT a.key AS key, a.currency AS currency,
  (SELECT coalesce(sum(c.amount), 0) FROM payments_capture c
   WHERE c.attempt_id = a.id AND c.state = 'done') AS collected,
  (SELECT coalesce(sum(e.amount), 0) FROM payments_paymentevent e
   WHERE e.attempt_id = a.id AND e.kind = 'captured' AND e.outcome IN ('applied', 'review')) AS told,
  (SELECT coalesce(sum(r.amount), 0) FROM payments_refund r WHERE r.attempt_id = a.id AND r.state = 'done') AS refunded
FROM payments_paymentattempt a
"""


class Books:
    """Reads, and moves the clock, in SQLite or PostgreSQL alike."""

    def __init__(self, out: Path, database_url: str) -> None:
        self.out, self.url = out, database_url
        self.now = "now()" if database_url else "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"  # as Django writes it

    def _run(self, sql: str, *, read: bool) -> list[tuple[Any, ...]]:
        if self.url:
            import psycopg

            with psycopg.connect(self.url, autocommit=True) as server:
                cursor = server.execute(sql.replace("%", "%%"))
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
        self.write(f"UPDATE demo_demoevent SET due_at = {now} WHERE due_at > {now} AND {SOON}")
        for table in ("paymentattempt", "refund", "capture", "savedmethod"):
            self.write(f"UPDATE payments_{table} SET next_check_at = {now} WHERE next_check_at > {now}")

    def queued(self) -> int:
        """Mails and webhooks that are due and wait for a worker."""
        tables = ("mails_outboxmail", "demo_demoevent")
        return sum(self.one(f"SELECT count(*) FROM {table} WHERE due_at <= {self.now}") for table in tables)

    def unsettled(self) -> dict[str, int]:
        """What still waits for somebody."""
        waits = {
            "orders": "SELECT count(*) FROM orders_order WHERE state IN ('draft', 'pending_payment')",
            "mails": "SELECT count(*) FROM mails_outboxmail WHERE sent_at IS NULL",
            "webhooks": f"SELECT count(*) FROM demo_demoevent WHERE due_at IS NOT NULL AND trick = '' AND {SOON}",
            "refunds": "SELECT count(*) FROM payments_refund WHERE state IN ('requested', 'pending')",
            "collections": "SELECT count(*) FROM payments_capture WHERE state IN ('requested', 'pending')",
            "reservations": f"SELECT count(*) FROM ({LEDGER}) l "
            "WHERE payment_state = 'authorized' AND order_state NOT IN ('confirmed', 'fulfilled', 'review')",
            "cards": "SELECT count(*) FROM payments_savedmethod s "
            "JOIN payments_paymentattempt a ON a.id = s.attempt_id "
            "WHERE s.state = 'removed' OR (s.state = 'asked' AND a.state = 'captured') "
            "OR (s.state = 'saved' AND s.user_id IS NULL)",
        }
        return {name: count for name, sql in waits.items() if (count := self.one(sql))}


@dataclass(frozen=True)
class Seen:
    """What was noted outside the shop."""

    stock_at_start: int
    thanked: set[str]
    consents: dict[str, str]  # by the name given in the checkout: the words beside the box that was ticked
    no_card: set[str]  # names of checkouts for which nobody gave a card that was theirs to give
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


class Payment(NamedTuple):
    """A row of the LEDGER. Money that is reserved is neither kept nor given back."""

    key: str
    state: str
    amount: int
    taken: int
    currency: str
    refunded: int
    later: bool
    number: str | None
    order_state: str
    total: int
    order_currency: str
    address: Any

    @property
    def kept(self) -> int:
        return self.taken - self.refunded

    @property
    def reserved(self) -> int:
        return self.amount - self.taken if self.state == "authorized" else 0

    @property
    def counts(self) -> bool:
        """Whether it is the one that its order stands on: not given back whole, or nothing was to pay."""
        return bool(self.kept or self.reserved) or self.taken == self.total == 0


def _payments(books: Books) -> list[Payment]:
    return [Payment(*row) for row in books.rows(LEDGER)]


def _taken(books: Books) -> dict[str, tuple[str, int, int]]:
    """By attempt: currency, what the shop believes was taken, and given back."""
    rows = books.rows(SHOP)
    return {key: (currency, int(collected or told), int(back)) for key, currency, collected, told, back in rows}


@invariant(1, "every charge of the provider belongs to exactly one order, which is sold, under review, or paid back")
def charges_have_orders(books: Books, _: Seen) -> Violations:
    for each in _payments(books):
        if each.number is None:
            yield f"charge {each.key} has no order"
        elif each.order_state not in (*SOLD, "review") and each.kept:
            yield f"{each.number} is {each.order_state}, but {each.kept} of its charge was kept"


@invariant(2, "every sold order has exactly one charge or reservation that is not given back whole")
def sold_orders_have_one_charge(books: Books, _: Seen) -> Violations:
    kept = Counter(each.number for each in _payments(books) if each.counts)
    for (number,) in books.rows("SELECT number FROM orders_order WHERE state IN ('confirmed', 'fulfilled')"):
        if kept[number] != 1:
            yield f"{number} is sold with {kept[number]} charges"


@invariant(3, "captured minus refunded is the same in the shop and at the provider, by currency")
def money_agrees(books: Books, _: Seen) -> Violations:
    there, here, sold = Counter[str](), Counter[str](), Counter[str]()
    for each in _payments(books):
        there[each.currency] += each.kept
        if each.order_state in SOLD:
            sold[each.currency] -= each.reserved
        elif each.order_state == "review":
            sold[each.currency] += each.kept
    for currency, taken, _back in _taken(books).values():
        here[currency] += taken
    for currency, amount in books.rows(
        "SELECT a.currency, sum(r.amount) FROM payments_refund r JOIN payments_paymentattempt a ON a.id = r.attempt_id "
        "WHERE r.state != 'failed' GROUP BY a.currency"
    ):
        here[currency] -= int(amount)
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
    for currency in {*there, *here, *sold}:
        if not there[currency] == here[currency] == sold[currency]:
            yield f"{currency}: provider {there[currency]}, shop {here[currency]}, orders {sold[currency]}"


@invariant(4, "a sold order and its charge have the same amount and currency")
def amounts_agree(books: Books, _: Seen) -> Violations:
    for each in _payments(books):
        agreed = each.amount if each.reserved else each.taken
        if each.order_state in SOLD and each.counts and (agreed, each.currency) != (each.total, each.order_currency):
            yield f"{each.number}: {each.total} {each.order_currency} ordered, {agreed} {each.currency} charged"


@invariant(5, "no cart became two orders (every checkout of the campaign has one cart and a name of its own)")
def one_order_a_cart(books: Books, _: Seen) -> Violations:
    names = Counter(_name(address) for (address,) in books.rows("SELECT shipping_address FROM orders_order"))
    yield from (f"{name}: {count} orders" for name, count in names.items() if count > 1)


def _name(address: Any) -> str:
    return str((json.loads(address) if isinstance(address, str) else address).get("name", ""))


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
    there = {each.key: (each.taken, each.refunded) for each in _payments(books)}
    for key, (_currency, taken, refunded) in _taken(books).items():
        if (taken, refunded) != there.get(key, (0, 0)):
            yield f"attempt {key}: shop {(taken, refunded)}, provider {there.get(key, (0, 0))}"


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


@invariant(20, "nothing is collected twice, beyond what was reserved, or unknown to the shop")
def collections_agree(books: Books, _: Seen) -> Violations:
    made = {key: (payment, amount) for key, payment, amount in books.rows(
        "SELECT c.key, p.key, c.amount FROM demo_democapture c JOIN demo_demopayment p ON p.id = c.payment_id"
    )}  # fmt: skip
    asked = {key: (attempt, amount, state) for key, attempt, amount, state in books.rows(
        "SELECT c.key, a.key, c.amount, c.state "
        "FROM payments_capture c JOIN payments_paymentattempt a ON a.id = c.attempt_id"
    )}  # fmt: skip
    yield from (f"collection {key} is unknown to the shop" for key in made.keys() - asked.keys())
    for key, (attempt, amount, state) in asked.items():
        if (key in made) != (state == "done") or made.get(key, (attempt, amount)) != (attempt, amount):
            yield f"collection {key}: {state} in the shop, {amount}; at the provider {made.get(key)}"
    collected = Counter[str]()
    for payment, amount in made.values():
        collected[payment] += amount
    for each in _payments(books):
        if collected[each.key] not in (0, each.taken) or (each.later and each.taken > each.amount):
            yield f"{each.number}: {collected[each.key]} collected, {each.taken} taken of {each.amount} reserved"


@invariant(21, "what left has been collected, or the order is under review")
def parcels_are_collected(books: Books, _: Seen) -> Violations:
    whole = {each.number for each in _payments(books) if each.taken == each.amount}
    waiting = {each.number for each in _payments(books) if each.later} - whole
    for number, state in books.rows("SELECT number, state FROM orders_order"):
        if state == "fulfilled" and number in waiting:
            yield f"{number} has left and is not collected"
    for number, parcel in books.rows(
        "SELECT o.number, f.id FROM orders_fulfilment f JOIN orders_order o ON o.id = f.order_id "
        "WHERE o.state = 'confirmed' AND NOT EXISTS "
        "(SELECT 1 FROM payments_capture c WHERE c.fulfilment_id = f.id AND c.state = 'done')"
    ):
        if number in waiting:
            yield f"parcel {parcel} of {number} has left and is not collected"


@invariant(22, "no money stays reserved for an order that is closed")
def reservations_are_let_go(books: Books, _: Seen) -> Violations:
    for each in _payments(books):
        if each.reserved and each.order_state not in (*SOLD, "review"):
            yield f"{each.number} is {each.order_state}, {each.reserved} of its payment are still reserved"


@invariant(23, "a card that was removed, or is somebody else's, pays for nothing")
def others_cards_pay_nothing(books: Books, seen: Seen) -> Violations:
    for each in _payments(books):
        if each.number and _name(each.address) in seen.no_card:
            yield f"{each.number} of {_name(each.address)} was paid without a card of theirs"
    for (number,) in books.rows(
        "SELECT o.number FROM payments_paymentattempt a JOIN orders_order o ON o.id = a.order_id "
        "JOIN payments_savedmethod s ON s.id = a.saved_id "
        "WHERE o.user_id IS NULL OR s.user_id IS NULL OR o.user_id <> s.user_id"
    ):
        yield f"{number} was paid with the card of another account"


@invariant(24, "every card is kept with the words that its owner agreed to, for the account that paid with it")
def consents_are_kept(books: Books, seen: Seen) -> Violations:
    for number, address, text, version, order_user, user in books.rows(
        "SELECT o.number, o.shipping_address, s.consent_text, s.consent_version, o.user_id, s.user_id "
        "FROM payments_savedmethod s "
        "JOIN payments_paymentattempt a ON a.id = s.attempt_id JOIN orders_order o ON o.id = a.order_id"
    ):
        if not version or text != seen.consents.get(_name(address)):
            yield f"{number}: agreed to {seen.consents.get(_name(address))!r}, kept is {version!r} {text!r}"
        if user not in (None, order_user):
            yield f"{number} belongs to account {order_user}, its card to {user}"
    for number, address in books.rows(
        "SELECT o.number, o.shipping_address FROM demo_demopayment p "
        "JOIN payments_paymentattempt a ON a.key = p.key JOIN orders_order o ON o.id = a.order_id WHERE p.keep"
    ):
        if _name(address) not in seen.consents:
            yield f"{number}: the provider was told to keep a card, and nobody agreed"


@invariant(25, "the provider keeps no card that the shop has forgotten or that was removed")
def removed_cards_are_forgotten(books: Books, _: Seen) -> Violations:
    rows = books.rows("SELECT token, state FROM payments_savedmethod")
    known = {token for token, _state in rows}
    yield from (f"card {token} is {state}" for token, state in rows if state == "removed")
    for ref, number in books.rows(
        "SELECT t.ref, p.reference FROM demo_demotoken t JOIN demo_demopayment p ON p.token_id = t.id "
        "WHERE p.keep AND p.state = 'paid'"
    ):
        if ref not in known:
            yield f"card {ref}, kept with {number}, is unknown to the shop"


def _logs(seen: Seen) -> Iterable[str]:
    return (path.read_text(encoding="utf-8", errors="replace") for path in sorted(seen.logs.glob("*.log")))
