"""Buyers as browsers see the shop: pages, forms, cookies, redirects; impatient, forgetful and with bad cards."""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit

from .processes import PAY_WITHIN_SECONDS

CARDS = {
    "4242424242424242": 50,  # pays
    "4000002500003155": 12,  # 3-D Secure
    "4000000000000002": 8,  # declined, tries again
    "4000000000000044": 5,  # late
    "4000000000000051": 6,  # way back lost
    "4000000000000077": 6,  # noisy messages
    "4000000000000085": 2,  # wrong amount
}


@dataclass(frozen=True)
class Habits:
    """How often buyers do what shops do not expect."""

    double_click: float = 0.15
    second_tab: float = 0.06  # another way to pay in another tab, and both pages paid
    cancels: float = 0.04  # calls the order off in another tab, and pays all the same
    pays_late: float = 0.04
    closes: float = 0.1
    coupon: float = 0.15


HARSH = Habits(double_click=0.4, second_tab=0.25, cancels=0.12, pays_late=0.12, closes=0.15, coupon=0.6)


class LostError(Exception):
    """The shop did not answer for so long that the buyer gave up."""


@dataclass
class Browser:
    port: int
    rnd: random.Random
    statuses: Counter[int]
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, where the answer sends the browser on to (path only), body. A dead process is tried again, as a
        buyer reloads."""
        for attempt in range(25):
            if self.rnd.random() < 0.4:  # perhaps to another process
                self.close()
            try:
                return self._send(method, path, form)
            except (OSError, http.client.HTTPException):
                self.close()
                time.sleep(min(0.1 * (attempt + 1), 1))
        raise LostError(path)

    def _send(self, method: str, path: str, form: dict[str, str] | None) -> tuple[int, str, str]:
        self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=25)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            headers |= {
                "X-CSRFToken": self.cookies.get("csrf", ""),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            body = urlencode(form)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode(errors="replace")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            key, _, rest = cookie.partition("=")
            self.cookies[key] = rest.split(";", 1)[0]
        self.statuses[answer.status] += 1
        refresh = (answer.getheader("Refresh") or "").partition("url=")[2]
        target = urlsplit(answer.getheader("Location") or refresh)
        return answer.status, target.path + (f"?{target.query}" if target.query else ""), text

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, path: str) -> tuple[str, str]:
        """Follows redirects. Returns the address where they end and its body."""
        for _ in range(8):
            _, target, text = self.send("GET", path)
            if not target:
                return path, text
            path = target
        return path, ""

    def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        status, target, _ = self.send("POST", path, form)
        return status, target


@dataclass
class Harvest:
    """What the buyers remember."""

    begun: int = 0
    thanked: set[str] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


def buy(
    number: int,
    browser: Browser,
    skus: list[tuple[str, str]],
    rnd: random.Random,
    harvest: Harvest,
    habits: Habits,
) -> str:
    """One buyer from the product page to the end. Returns how it ended."""
    sku, handle = rnd.choice(skus)
    _, page = browser.get(f"/fr/p/{handle}/")
    browser.post("/fr/cart/add/", {"sku": sku, "quantity": str(rnd.choice((1, 1, 1, 2, 3)))})
    if rnd.random() < habits.coupon:
        browser.post("/fr/cart/coupon/", {"code": "LIMITED"})
    browser.post("/fr/checkout/contact/", {"email": f"canary-{number}@example.com"})
    browser.get("/fr/checkout/delivery/")
    address = {
        "country": "FR",
        "name": f"Canary {number}",
        "street": "12 rue de la Clef",
        "postcode": "59000",
        "city": "Lille",
    }
    form = {f"shipping-{key}": value for key, value in address.items()}
    browser.post("/fr/checkout/delivery/", form | {"delivery-method": rnd.choice(("home", "home", "express"))})
    browser.post("/fr/checkout/payment/", {"payment-method": "card", "payment-same": "on"})
    for _ in range(3):
        where, page = browser.get("/fr/checkout/review/")
        total = re.search(r'name="total" value="(\d+)"', page)
        if not total:
            return "sold out" if "/cart/" in where else "stopped before the order"
        pages = _press(browser, {"total": total[1]}, rnd, habits)
        if pages:
            return _pay(browser, pages, rnd, harvest, habits)
    return "cart kept changing"


def _press(browser: Browser, form: dict[str, str], rnd: random.Random, habits: Habits) -> list[str]:
    """The button, sometimes twice at the same moment. Returns the payment pages that it led to."""
    found: list[str] = []

    def click(browser: Browser = browser) -> None:
        status, target = browser.post("/fr/checkout/review/", form)
        if status == 303 and ("/demo-provider/" in target or "/order/" in target):
            found.append(target)

    if rnd.random() < habits.double_click:
        other = replace(browser, connection=None)  # cookies and all, on a connection of its own
        clicks = [threading.Thread(target=_quietly, args=(click, each)) for each in (browser, other)]
        for each in clicks:
            each.start()
        for each in clicks:
            each.join()
        other.close()
    else:
        click()
    return found


def _quietly(click: Callable[[Browser], None], browser: Browser) -> None:
    with contextlib.suppress(LostError):
        click(browser)


def _pay(browser: Browser, pages: list[str], rnd: random.Random, harvest: Harvest, habits: Habits) -> str:
    """At the provider: pays, fails, goes away, or pays in two tabs."""
    for _ in range(6):
        pages = [browser.get(each)[0] if "/leave/" in each and "/order/" in each else each for each in pages]
        page = pages[0]
        if "/order/" in page:
            if "/pay/" not in page:
                return _look(browser, page, harvest)
            # Not started or declined: choose again on the order's own page.
            if rnd.random() < 0.1:
                return "gave up after a decline"
            _, again = browser.post(page, {"payment-method": "card"})
            pages = [again or page]
            continue
        if rnd.random() < habits.closes / 2:
            return "closed the payment page"
        if rnd.random() < 0.04:
            pages = [browser.post(page + "leave/", {})[1]]
            pages = [browser.get(pages[0])[0]] if pages[0] else ["/fr/cart/"]
            if "/order/" not in pages[0]:
                return "left"
            continue
        if rnd.random() < habits.second_tab:
            where, _ = browser.get("/fr/checkout/")
            if "/pay/" in where:
                _, other = browser.post(where, {"payment-method": "wallet"})
                other = browser.get(other)[0] if "/leave/" in other else other
                pages.append(other) if "/demo-provider/" in other else None
        elif rnd.random() < habits.cancels:
            where, _ = browser.get("/fr/checkout/")
            if "/pay/" in where:
                browser.post(where.replace("/pay/", "/cancel/"), {})
        elif rnd.random() < habits.pays_late:
            time.sleep(PAY_WITHIN_SECONDS + rnd.uniform(0, 5))  # comes back when the order has expired
        number = rnd.choices(list(CARDS), list(CARDS.values()))[0]
        for tab in dict.fromkeys(pages):  # a double click that led to two pages is paid on both
            status, target = browser.post(tab, {"number": number, "use": ""} if tab == pages[0] else {"use": "agree"})
            if status == 422:  # this page takes the other kind of answer
                status, target = browser.post(tab, {"use": "agree"} if tab == pages[0] else {"number": number})
        if "/challenge/" in target:
            if rnd.random() < 0.2:
                return "closed the 3-D Secure page"
            status, target = browser.post(target, {"answer": "approve"})
        if status == 504:
            return "way back lost"
        if rnd.random() < habits.closes:
            return "closed the tab after paying"
        if not target:
            return "paid already"
        where, _ = browser.get(target)
        pages = [where]
    return "gave up"


def _look(browser: Browser, page: str, harvest: Harvest) -> str:
    where, _ = browser.get(page)
    if "/thanks/" in where:
        harvest.thanked.add(where.split("/order/")[1].split("~")[0])
        return "thanked"
    return "saw the order"


def crowd(
    harvest: Harvest,
    count: int,
    threads: int,
    port: int,
    skus: list[tuple[str, str]],
    seed: int,
    until: float,
    habits: Habits,
    crowded: threading.Event,
) -> None:
    """So many buyers, so many at once, until they are done or the time is over; nobody new while it is crowded."""
    lock = threading.Lock()

    def shop_on() -> None:
        while time.monotonic() < until:
            if crowded.is_set():
                time.sleep(0.2)
                continue
            with lock:
                if harvest.begun == count:
                    return
                harvest.begun += 1
                number = harvest.begun
            rnd = random.Random(f"{seed}-{number}")
            browser = Browser(port, rnd, harvest.statuses)
            try:
                end = buy(number, browser, skus, rnd, harvest, habits)
            except LostError:
                end = "lost the shop"
            browser.close()
            harvest.ends[end] += 1

    crowd_ = [threading.Thread(target=shop_on, daemon=True) for _ in range(threads)]
    for each in crowd_:
        each.start()
    for each in crowd_:
        each.join()
