"""python -m benchmarks.campaign [--checkouts 2000] [--seconds 600] [--database sqlite|postgresql] [--seed 1] [--bug X]

Builds a shop, sells in it while everything fails, waits until it has settled, and compares shop, provider and mailbox.
Exit code 0 when all invariants hold (or, with --bug, when the planted bug was found), else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from . import checker
from .buyers import HARSH, Habits, Harvest, crowd
from .processes import MAIL_SERVER, Shop, build_shop, kill_at_random, memory, postgresql
from .seeded import BUGS

VARIANTS = 8
RECOVERY = 18  # a loaded machine breaks it too
STUCK = 60  # seconds in which nothing that waits got less
LONGEST_QUEUE = 200  # of mails and webhooks: the campaign looks for mistakes, not for what the machine can bear


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=__doc__.split("\n\n")[1])
    parser.add_argument("--checkouts", type=int, default=2000, help="buyers who try")
    parser.add_argument("--seconds", type=float, default=3600, help="no new buyers after this time")
    parser.add_argument("--buyers", type=int, default=16, help="at the same time")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-every", type=float, help="mean buyers between kills: 24, or 2 with a planted bug")
    parser.add_argument("--bug", choices=sorted(BUGS), default="", help="plant this bug: the checker must find it")
    parser.add_argument("--all-bugs", action="store_true", help="plant each bug in turn")
    parser.add_argument("--patient", action="store_true", help="do not fail for a slow recovery alone")
    parser.add_argument("--keep", action="store_true", help="keep the shop's folder")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves no process behind
    if not options.all_bugs:
        return campaign(options)
    missed = []
    for bug in sorted(BUGS):
        options.bug = bug
        if campaign(options):
            missed.append(bug)
    print(
        f"{len(BUGS) - len(missed)} of {len(BUGS)} planted bugs found" + "".join(f"\n  missed: {bug}" for bug in missed)
    )
    return 1 if missed else 0


def campaign(options: argparse.Namespace) -> int:
    out = Path(tempfile.mkdtemp(prefix="campaign-", dir=memory()))
    with contextlib.ExitStack() as stack:
        if not options.keep:
            stack.callback(shutil.rmtree, out, ignore_errors=True)
        url = stack.enter_context(postgresql()) if options.database == "postgresql" else ""
        build_shop(out, options.bug)
        shop = Shop(out, url, seed=options.seed, bug=options.bug)
        shop.prepare()
        books = checker.Books(out, url)
        skus, stock = _stock(books, options.checkouts)
        stack.callback(shop.stop)
        shop.start_all()
        harvest, kills, seconds = _storm(shop, books, skus, options)
        shop.signal(MAIL_SERVER, signal.SIGUSR1)
        recovery = _settle(shop, books)
        seen = checker.Seen(
            stock_at_start=stock,
            thanked=harvest.thanked,
            consents=harvest.consents,
            no_card=harvest.no_card,
            mailbox=shop.mailbox,
            logs=shop.logs,
            server_errors=sum(count for status, count in harvest.statuses.items() if status >= 500),
            recovery_seconds=recovery,
        )
        shop.stop()
        return _report(options, shop, books, checker.run(books, seen), harvest, kills, seconds, seen)


def _stock(books: checker.Books, checkouts: int) -> tuple[list[tuple[str, str]], int]:
    """A few variants with counted stock, two of them scarce, so that buyers meet."""
    rows = books.rows(
        "SELECT min(v.id), p.handle FROM catalogue_variant v JOIN catalogue_product p ON p.id = v.product_id "
        f"WHERE v.published GROUP BY p.handle ORDER BY min(v.id) LIMIT {VARIANTS}"
    )
    books.write("UPDATE catalogue_variant SET stock = NULL")
    for index, (pk, _handle) in enumerate(rows):
        stock = max(3, checkouts // 40) if index < 2 else checkouts
        books.write(f"UPDATE catalogue_variant SET stock = {stock} WHERE id = {pk}")
    stock = books.one("SELECT sum(stock) FROM catalogue_variant WHERE stock IS NOT NULL")
    chosen = [(books.one(f"SELECT sku FROM catalogue_variant WHERE id = {pk}"), handle) for pk, handle in rows]
    return chosen, int(stock)


def _storm(
    shop: Shop, books: checker.Books, skus: list[tuple[str, str]], options: argparse.Namespace
) -> tuple[Harvest, Counter[str], float]:
    kills: Counter[str] = Counter()
    harvest = Harvest()
    stop, crowded = threading.Event(), threading.Event()
    rnd = random.Random(options.seed)
    every = options.kill_every or (2 if options.bug else 24)
    evils = [
        threading.Thread(
            target=kill_at_random, args=(shop, rnd, stop, kills, lambda: harvest.begun, every), daemon=True
        ),
        threading.Thread(target=_watch, args=(books, stop, crowded), daemon=True),
        threading.Thread(target=_forge, args=(shop, books, stop, random.Random(options.seed + 1)), daemon=True),
    ]
    for evil in evils:
        evil.start()
    begun = time.monotonic()
    habits = HARSH if options.bug else Habits()
    until = begun + options.seconds
    crowd(harvest, options.checkouts, options.buyers, shop.port, skus, options.seed, until, habits, crowded)
    stop.set()
    for evil in evils:
        evil.join(30)
    shop.stop("seller")
    return harvest, kills, time.monotonic() - begun


def _watch(books: checker.Books, stop: threading.Event, crowded: threading.Event) -> None:
    while not stop.wait(1):
        if books.queued() > LONGEST_QUEUE:
            crowded.set()
        else:
            crowded.clear()


def _forge(shop: Shop, books: checker.Books, stop: threading.Event, rnd: random.Random) -> None:
    """Somebody who knows the keys of payments but not the secret says that they were paid."""
    number = 0
    while not stop.wait(0.5):
        rows = books.rows(
            "SELECT key, amount, currency FROM payments_paymentattempt "
            "WHERE state = 'action_required' ORDER BY id DESC LIMIT 3"
        )
        for key, amount, currency in rows:
            number += 1
            body = (
                f'{{"id": "forged-{number}", "type": "payment.captured", "data": '
                f'{{"key": "{key}", "amount": {amount}, "currency": "{currency}"}}}}'
            )
            header = {"Demo-Signature": f"t={int(time.time())},v1={rnd.getrandbits(256):064x}"}
            url = f"http://127.0.0.1:{shop.port}/webhooks/demo/"
            with contextlib.suppress(OSError, urllib.error.HTTPError):
                urllib.request.urlopen(urllib.request.Request(url, body.encode(), header), timeout=5).close()


def _settle(shop: Shop, books: checker.Books) -> float:
    """The storm is over: wait until nobody waits any more, as long as something still moves. Returns the seconds."""
    begun = moved = time.monotonic()
    second, quiet, least = 0, 0, sys.maxsize
    while quiet < 3 and time.monotonic() - moved < STUCK:
        shop.check()
        if second % 10 == 0:
            books.fast_forward()
        time.sleep(1)
        second += 1
        waiting = sum(books.unsettled().values())
        quiet = 0 if waiting else quiet + 1
        if waiting < least:
            least, moved = waiting, time.monotonic()
    return time.monotonic() - begun


def _report(
    options: argparse.Namespace,
    shop: Shop,
    books: checker.Books,
    broken: dict[int, list[str]],
    harvest: Harvest,
    kills: Counter[str],
    seconds: float,
    seen: checker.Seen,
) -> int:
    tried = sum(harvest.ends.values())
    spent = shop.spent | {"buyers": time.process_time() - shop.began}
    print(f"{options.database}, seed {options.seed}{f', planted bug {options.bug}' if options.bug else ''}")
    print(f"  {tried} buyers in {seconds:.0f} s ({tried / seconds:.1f}/s), {_words(kills)}")
    print(f"  settled in {seen.recovery_seconds:.0f} s")
    print(f"  processor: {_words({name: round(each) for name, each in spent.items()})} (seconds)")
    print(f"  buyers: {_words(harvest.ends)}")
    print(f"  answers: {_words(harvest.statuses)}")
    print(f"  orders: {_words(dict(books.rows('SELECT state, count(*) FROM orders_order GROUP BY state')))}")
    print(
        f"  events: {_words(dict(books.rows('SELECT outcome, count(*) FROM payments_paymentevent GROUP BY outcome')))}"
    )
    counts = {
        "charges": "demo_demopayment WHERE taken > 0",
        "collections of reserved money": "demo_democapture",
        "refunds": "demo_demorefund",
        "webhooks": "demo_demoevent",
        "cards kept": "payments_savedmethod WHERE state IN ('saved', 'gone')",
        "payments asked of kept cards": "demo_demopayment WHERE token_id IS NOT NULL AND NOT keep",
    }
    print(f"  {_words({name: books.one(f'SELECT count(*) FROM {table}') for name, table in counts.items()})}")
    lines = seen.mailbox.read_text(encoding="utf-8").splitlines()
    print(f"  mails: {len(lines)} delivered, {len(lines) - len(set(lines))} of them twice (same Message-ID)")
    for number, problems in broken.items():
        print(f"  VIOLATED {number}: {checker.CHECKS[number][0]}")
        for problem in problems[:3]:
            print(f"    {problem}")
        if len(problems) > 3:
            print(f"    and {len(problems) - 3} more")
    print(f"  {len(checker.CHECKS) - len(broken)} of {len(checker.CHECKS)} invariants hold")
    sys.stdout.flush()
    if options.bug:
        return int(not broken.keys() - {RECOVERY})
    return int(bool(broken.keys() - {RECOVERY} if options.patient else broken))


def _words(counts: Any) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or "none"


if __name__ == "__main__":
    sys.exit(main())
