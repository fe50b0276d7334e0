"""Buyers as browsers see the shop: pages, forms, cookies, redirects; impatient, forgetful and with bad cards."""

from __future__ import annotations

import contextlib
import html
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
KEPT = {  # by those who have their card kept
    "4242424242424242": 50,  # pays every time
    "4000002760003184": 20,  # 3-D Secure every time
    "4000000000000341": 15,  # declined when it is used again
    "4000000000000036": 15,  # revoked a little later
}
RESERVED = {  # where the money is collected at shipping
    "4242424242424242": 60,
    "4000002500003155": 8,
    "4000000000000002": 6,
    "4000000000000044": 4,  # late, and then all at once
    "4000000000000051": 6,
    "4000000000000101": 8,  # cannot be collected
    "4000000000000119": 8,  # reserved for a moment only
}
PASSWORD = "seven linen sheets and a clue"


@dataclass(frozen=True)
class Habits:
    """How often buyers do what shops do not expect."""

    double_click: float = 0.15
    second_tab: float = 0.06  # another way to pay in another tab, and both pages paid
    cancels: float = 0.04  # calls the order off in another tab, and pays all the same
    pays_late: float = 0.04
    closes: float = 0.1
    coupon: float = 0.15
    reserves: float = 0.3  # pays by the method that is collected at shipping
    keeps: float = 0.35  # of those who pay by card: has it kept, and opens an account after paying
    returns: float = 0.7  # of those with an account: the next who comes is one of them
    removes: float = 0.12  # of those who have a card kept: removes it before pressing the button, or meanwhile
    steals: float = 0.06  # of those with an account: names a card of somebody else


HARSH = Habits(
    double_click=0.4,
    second_tab=0.25,
    cancels=0.12,
    pays_late=0.12,
    closes=0.1,
    coupon=0.6,
    reserves=0.35,
    keeps=0.9,
    returns=0.95,
    removes=0.4,
    steals=0.2,
)


class LostError(Exception):
    """The shop did not answer for so long that the buyer gave up."""


@dataclass
class Browser:
    """`address` is where it connects from: the shop counts tries by address, and people have each their own."""

    port: int
    address: str
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
        self.connection = self.connection or http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=25, source_address=(self.address, 0)
        )
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
class Buyer:
    email: str
    browser: Browser
    member: bool = False  # has an account, and is signed in
    cards: set[str] = field(default_factory=set)  # keys of what it has kept, as its pages named them


@dataclass
class Harvest:
    """What the buyers remember. A checkout is known by the name that its buyer gave, which is never given again."""

    begun: int = 0
    thanked: set[str] = field(default_factory=set)
    consents: dict[str, str] = field(default_factory=dict)  # the words beside the box that was ticked
    no_card: set[str] = field(default_factory=set)  # named only a card that was removed or is somebody else's
    cards: set[str] = field(default_factory=set)  # keys of kept cards that somebody has seen
    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass
class Visit:
    """One checkout of a buyer."""

    name: str
    buyer: Buyer
    rnd: random.Random
    harvest: Harvest
    habits: Habits
    method: str = "card"
    card: str = ""  # key of the kept card it is paid with
    keeps: bool = False

    def happens(self, chance: float) -> bool:
        return self.rnd.random() < chance

    @property
    def browser(self) -> Browser:
        return self.buyer.browser


def buy(visit: Visit, skus: list[tuple[str, str]]) -> str:
    """One checkout from the product page to the end. Returns how it ended."""
    browser, rnd, habits = visit.browser, visit.rnd, visit.habits
    sku, handle = rnd.choice(skus)
    browser.get(f"/fr/p/{handle}/")
    browser.post("/fr/cart/add/", {"sku": sku, "quantity": str(rnd.choice((1, 1, 1, 2, 3)))})
    if visit.happens(habits.coupon):
        browser.post("/fr/cart/coupon/", {"code": "LIMITED"})
    browser.post("/fr/checkout/contact/", {"email": visit.buyer.email})
    address = {
        "country": "FR",
        "name": visit.name,
        "street": "12 rue de la Clef",
        "postcode": "59000",
        "city": "Lille",
    }
    form = {f"shipping-{key}": value for key, value in address.items()}
    browser.post("/fr/checkout/delivery/", form | {"delivery-method": rnd.choice(("home", "home", "express"))})
    _, target = browser.post("/fr/checkout/payment/", _choose(visit) | {"payment-same": "on"})
    if visit.name in visit.harvest.no_card and "/payment/" in target:  # a choice of an earlier visit may still stand
        return "was refused a card of somebody else"
    for _ in range(3):
        where, page = browser.get("/fr/checkout/review/")
        total = re.search(r'name="total" value="(\d+)"', page)
        if not total:
            return "sold out" if "/cart/" in where else "stopped before the order"
        if visit.card and visit.happens(habits.removes):
            return _remove(visit, {"total": total[1]})
        pages = _press(visit, {"total": total[1]})
        if pages and visit.name in visit.harvest.no_card:
            return "had no card to pay with"
        if pages:
            return _pay(visit, pages)
    return "cart kept changing"


KEY = re.compile(r'value="saved:([0-9a-f]{32})"(?! disabled)')
BOX = re.compile(
    r'<input type="checkbox" id="(payment-save-card)"[^>]*> (?P<label>[^<]*)</label><p [^>]*>(?P<sentence>[^<]*)</p>'
)


def _choose(visit: Visit) -> dict[str, str]:
    """A way to pay: a card that is kept, one that shall be, money reserved until shipping; or a stranger's card."""
    habits, harvest = visit.habits, visit.harvest
    if visit.buyer.member:
        _, page = visit.browser.get("/fr/checkout/payment/")
        mine = KEY.findall(page)
        visit.buyer.cards.update(mine)
        if (others := sorted(harvest.cards - visit.buyer.cards)) and visit.happens(habits.steals):
            harvest.no_card.add(visit.name)
            return {"payment-method": f"saved:{visit.rnd.choice(others)}"}
        harvest.cards.update(mine)
        if mine and visit.happens(0.85):
            visit.card = visit.rnd.choice(mine)
            return {"payment-method": f"saved:{visit.card}"}
    if visit.happens(habits.reserves):
        visit.method = "reserved"
        return {"payment-method": "reserved"}
    if visit.happens(habits.keeps) and (box := BOX.search(visit.browser.get("/fr/checkout/payment/")[1])):
        visit.keeps = True
        harvest.consents[visit.name] = html.unescape(f"{box['label']}\n{box['sentence']}")
        return {"payment-method": "card", box[1]: "on"}
    return {"payment-method": "card"}


def _remove(visit: Visit, form: dict[str, str]) -> str:
    """The card is removed in another tab: before the button is pressed, or at the same moment."""
    tab = replace(visit.browser, connection=None)

    def remove() -> None:
        _, target = tab.post(f"/fr/account/cards/{visit.card}/remove/", {})
        if target and "sign-in" not in target and meanwhile.is_set():
            visit.harvest.no_card.add(visit.name)

    meanwhile = threading.Event()
    thread = threading.Thread(target=_quietly, args=(remove,))
    if visit.happens(0.5):
        meanwhile.set()
        remove()
        pages = _press(visit, form)
    else:
        thread.start()
        pages = _press(visit, form)
        thread.join()
    tab.close()
    for page in pages:
        visit.browser.get(page)
    return "removed the card"


def _press(visit: Visit, form: dict[str, str]) -> list[str]:
    """The button, sometimes twice at the same moment. Returns the pages that it led to."""
    found: list[str] = []

    def click(browser: Browser) -> None:
        status, target = browser.post("/fr/checkout/review/", form)
        if status == 303 and any(part in target for part in ("/demo-provider/", "/order/", "/checkout/return/")):
            found.append(target)

    browser = visit.browser
    if visit.happens(visit.habits.double_click):
        other = replace(browser, connection=None)  # cookies and all, on a connection of its own
        clicks = [threading.Thread(target=_quietly, args=(click, each)) for each in (browser, other)]
        for each in clicks:
            each.start()
        for each in clicks:
            each.join()
        other.close()
    else:
        click(browser)
    return found


def _quietly(click: Callable[..., None], *args: Browser) -> None:
    with contextlib.suppress(LostError):
        click(*args)


def _pay(visit: Visit, pages: list[str]) -> str:
    """At the provider: pays, fails, goes away, or pays in two tabs."""
    browser, habits = visit.browser, visit.habits
    for _ in range(6):
        pages = [_follow(browser, each) for each in pages]
        page = pages[0]
        if "/order/" in page:
            if "/pay/" not in page:
                return _look(visit, page)
            if visit.happens(0.1):
                return "gave up after a decline"
            pages = [_try_again(visit, page) or page]
            continue
        if visit.happens(habits.closes / 2):
            return "closed the payment page"
        if "/challenge/" not in page:
            if visit.happens(0.04):
                pages = [browser.post(page + "leave/", {})[1]]
                pages = [browser.get(pages[0])[0]] if pages[0] else ["/fr/cart/"]
                if "/order/" not in pages[0]:
                    return "left"
                continue
            _dither(visit, pages)
            status, target = _give_card(visit, pages)
        else:
            status, target = 303, page
        if "/challenge/" in target:
            if visit.happens(0.2):
                return "closed the 3-D Secure page"
            status, target = browser.post(target, {"answer": "approve"})
        if status == 504:
            return "way back lost"
        if visit.happens(habits.closes):
            return "closed the tab after paying"
        if not target:
            return "paid already"
        where, _ = browser.get(target)
        pages = [where]
    return "gave up"


def _follow(browser: Browser, page: str) -> str:
    """Where an address of the shop leads to, up to a page of the provider or of the order."""
    there = "/demo-provider/" in page or ("/order/" in page and "/leave/" not in page)
    return page if there else browser.get(page)[0]


def _try_again(visit: Visit, page: str) -> str:
    """Not started or declined: chosen again on the order's own page, perhaps what is kept. Where that leads to."""
    if visit.card and visit.happens(0.4):
        _, text = visit.browser.get(page)
        tries = re.search(r'name="tries" value="(\d+)"', text)
        if tries and visit.card in KEY.findall(text):
            form = {"payment-method": f"saved:{visit.card}", "tries": tries[1]}
            return visit.browser.post(page, form)[1]
    return visit.browser.post(page, {"payment-method": visit.method})[1]


def _dither(visit: Visit, pages: list[str]) -> None:
    """Another way to pay in another tab (added to `pages`), calling the order off in one, or a long time of doubt."""
    browser, habits = visit.browser, visit.habits
    if visit.happens(habits.second_tab):
        where, _ = browser.get("/fr/checkout/")
        if "/pay/" in where:
            other = browser.post(where, {"payment-method": "wallet"})[1]
            other = _follow(browser, other) if other else ""
            pages.append(other) if "/demo-provider/" in other else None
    elif visit.happens(habits.cancels):
        where, _ = browser.get("/fr/checkout/")
        if "/pay/" in where:
            browser.post(where.replace("/pay/", "/cancel/"), {})
    elif visit.happens(habits.pays_late):
        time.sleep(PAY_WITHIN_SECONDS + visit.rnd.uniform(0, 5))  # comes back when the order has expired


def _give_card(visit: Visit, pages: list[str]) -> tuple[int, str]:
    listed = KEPT if visit.keeps else RESERVED if visit.method == "reserved" else CARDS
    number = visit.rnd.choices(list(listed), list(listed.values()))[0]
    status, target = 0, ""
    for tab in dict.fromkeys(pages):  # a double click that led to two pages is paid on both
        form = {"number": number, "use": ""} if tab == pages[0] else {"use": "agree"}
        status, target = visit.browser.post(tab, form)
        if status == 422:  # this page takes the other kind of answer
            form = {"use": "agree"} if tab == pages[0] else {"number": number}
            status, target = visit.browser.post(tab, form)
    return status, target


def _look(visit: Visit, page: str) -> str:
    where, _ = visit.browser.get(page)
    if "/thanks/" not in where:
        return "saw the order"
    visit.harvest.thanked.add(where.split("/order/")[1].split("~")[0])
    if visit.keeps and not visit.buyer.member:
        visit.browser.post(where.replace("/thanks/", "/account/"), {"password": PASSWORD})
        visit.buyer.member = "session" in visit.browser.cookies
        return "thanked, opened an account"
    return "thanked"


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
    """So many checkouts, so many at once, until they are done or the time is over; nobody new while it is crowded."""
    lock = threading.Lock()
    members: list[Buyer] = []

    def somebody(number: int, rnd: random.Random) -> Buyer:
        with lock:
            if members and rnd.random() < habits.returns:
                return members.pop(rnd.randrange(len(members)))
        address = f"127.{1 + number // 60_000}.{number // 250 % 240}.{1 + number % 250}"
        return Buyer(f"canary-{number}@example.com", Browser(port, address, rnd, harvest.statuses))

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
            buyer = somebody(number, rnd)
            try:
                end = buy(Visit(f"Canary {number}", buyer, rnd, harvest, habits), skus)
            except LostError:
                end = "lost the shop"
            buyer.browser.close()
            harvest.ends[end] += 1
            if buyer.member:
                members.append(buyer)

    crowd_ = [threading.Thread(target=shop_on, daemon=True) for _ in range(threads)]
    for each in crowd_:
        each.start()
    for each in crowd_:
        each.join()
