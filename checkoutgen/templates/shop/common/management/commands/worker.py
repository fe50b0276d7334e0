"""The shop's clock: everything that must happen although nobody asks for a page."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from cart.session import forget_old
from mails.sending import send_due
from payments.adapters import adapters
from payments.engine import expire_due, reconcile_due
from payments.settlement import collect_due, warn_due
from payments.vault import work_due

logger = logging.getLogger(__name__)


def duties() -> list[Callable[[], int]]:
    """With --once in this order: settle payments before letting orders go, and tell about both."""
    own = [work for each in adapters().values() if (work := getattr(each, "work", None))]
    return [*own, reconcile_due, collect_due, work_due, expire_due, warn_due, send_due, forget_old]


class Command(BaseCommand):
    help = "Do what nobody asks a page for: payments, unpaid orders, mails, old carts. Any number may run at once."
    requires_system_checks = [Tags.security]  # noqa: RUF012  as Django writes it; pages, whose checks take long, are others'

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now and stop")
        parser.add_argument("--pause", type=float, default=2.0, metavar="SECONDS", help="between idle rounds")

    def handle(self, *args: Any, once: bool, pause: float, **options: Any) -> None:
        if once:
            while sum(_do(duty) for duty in duties()):
                pass
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # A thread each: while a provider takes its time to answer, mails are sent all the same.
        threads = [threading.Thread(target=_repeat, args=(duty, stop, pause)) for duty in duties()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _repeat(duty: Callable[[], int], stop: threading.Event, pause: float) -> None:
    while not stop.is_set():
        if not _do(duty):
            close_old_connections()
            stop.wait(pause)


def _do(duty: Callable[[], int]) -> int:
    """One duty that fails must not keep the others from being done."""
    try:
        return duty()
    except DatabaseError:
        logger.exception("%s: the database failed, again later", duty.__name__)
        close_old_connections()
    except Exception:
        logger.exception("%s failed, again later", duty.__name__)
    return 0
