"""What one complete purchase costs the server, and what each page of the checkout weighs.

    python benchmarks/purchase.py [--purchases 200] [--clients 1] [--spec examples/b2c.yaml]

Builds the spec, serves it with granian as in production (one process a core, four threads), and buys: product page,
into the cart, cart, contact, delivery, payment, review, order by bank transfer, confirmation: 12 requests, every answer
checked. CPU is the user and system time of the server's processes (`/proc`), which moves little with what else the
machine does. The floor is the shop's cheapest dynamic answer (the redirect of `/`) in the same run.
"""

from __future__ import annotations

import argparse
import gzip
import html
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")
HANDLES = ("drap-plat-lin", "plaid-laine", "drap-de-bain")


class Client:
    """One buyer's connection: cookies, the last page, and its forms."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}
        self.page = ""

    def send(self, method: str, path: str, fields: dict[str, str] | None = None) -> http.client.HTTPResponse:
        body = urlencode(fields) if fields is not None else None
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        self.page = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            key, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[key] = value
        return answer

    def get(self, path: str) -> str:
        answer = self.send("GET", path)
        assert answer.status == 200, f"{path}: {answer.status} {self.page[:300]}"
        return self.page

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form with the page's token; the address it leads to."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)
        assert token, f"no form on the page before {path}"
        answer = self.send("POST", path, {"csrfmiddlewaretoken": token[1]} | fields)
        assert answer.status == 303, f"{path}: {answer.status} {self.page[:300]}"
        return urlsplit(answer.headers["Location"]).path


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, f"no field {name}"
    return html.unescape(found[1])


def purchase(port: int, number: int, weigh: Callable[[str, str], None] = lambda *_: None) -> None:
    """One complete purchase; raises when any answer is not the expected one."""
    buyer = Client(port)
    page = buyer.get(f"/fr/p/{HANDLES[number % len(HANDLES)]}/")
    weigh("product", page)
    buyer.post("/fr/cart/add/", {"sku": re.findall(r'name="sku"[^>]*value="([^"]+)"', page)[0], "quantity": "1"})
    weigh("cart", buyer.get("/fr/cart/"))
    weigh("contact", buyer.get("/fr/checkout/contact/"))
    buyer.post("/fr/checkout/contact/", {"email": f"buyer-{number}@example.org"})
    weigh("delivery", buyer.get("/fr/checkout/delivery/"))
    address = {"name": "Zoé Martin", "street": "8 rue Nationale", "postcode": "59800", "city": "Lille", "country": "FR"}
    chosen = {f"shipping-{key}": value for key, value in address.items()} | {"delivery-method": "home"}
    buyer.post("/fr/checkout/delivery/", chosen)
    weigh("payment", buyer.get("/fr/checkout/payment/"))
    buyer.post("/fr/checkout/payment/", {"payment-method": "transfer", "payment-same": "on", "billing-country": "FR"})
    page = buyer.get("/fr/checkout/review/")
    weigh("review", page)
    thanks = buyer.post("/fr/checkout/review/", {"total": hidden(page, "total")})
    assert thanks.endswith("/thanks/"), thanks
    weigh("thanks", buyer.get(thanks))
    assert re.search(r"RF\d\d", buyer.page.replace(" ", "")), "no reference on the confirmation page"


def cpu(group: int) -> float:
    """User and system seconds of every process in a process group."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += int(fields[11]) + int(fields[12])
    return total / TICK


@contextmanager
def served(spec: Path, workers: int) -> Iterator[tuple[int, int]]:
    """(port, process group) of a fresh shop."""
    with tempfile.TemporaryDirectory() as work:
        shop = Path(work) / "shop"
        run = [sys.executable, "manage.py"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = os.environ | {"DEBUG": "0", "SECRET_KEY": "x" * 60, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        environment |= {"DEMO_WEBHOOK_SECRET": "x" * 40, "ALLOW_DEMO_PROVIDER": "1", "LOG_LEVEL": "WARNING"}
        subprocess.run(
            [sys.executable, "-m", "checkoutgen", "build", str(spec), str(shop)],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        for command in (["migrate", "-v0"], ["load_catalogue", "--stock"], ["collectstatic", "--noinput", "-v0"]):
            subprocess.run([*run, *command], cwd=shop, env=environment, check=True, capture_output=True)
        unlimited = "from catalogue.models import Variant; Variant.objects.update(stock=1000000)"
        subprocess.run([*run, "shell", "-v0", "-c", unlimited], cwd=shop, env=environment, check=True)
        command = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
        command += ["--workers", str(workers), "--blocking-threads", "4", "config.wsgi:application"]
        server = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=shop,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > until or server.poll() is not None:
                        raise
                    time.sleep(0.1)
            yield port, server.pid
        finally:
            server.terminate()
            server.wait(timeout=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--purchases", type=int, default=200)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--spec", type=Path, default=ROOT / "examples" / "b2c.yaml")
    wanted = parser.parse_args()
    with served(wanted.spec, os.cpu_count() or 1) as (port, group):
        weights: dict[str, int] = {}
        for number in range(8):  # every worker and thread has seen every page
            purchase(port, number, lambda name, page: weights.__setitem__(name, len(gzip.compress(page.encode(), 6))))
        floor_client = Client(port)
        before, floor_requests = cpu(group), 400
        for _ in range(floor_requests):
            floor_client.send("GET", "/")
        floor = (cpu(group) - before) / floor_requests
        before, start, times = cpu(group), time.perf_counter(), []

        def one(number: int) -> None:
            begun = time.perf_counter()
            purchase(port, 100 + number)
            times.append(time.perf_counter() - begun)

        with ThreadPoolExecutor(wanted.clients) as pool:
            list(pool.map(one, range(wanted.purchases)))
        wall = time.perf_counter() - start
        each = (cpu(group) - before) / wanted.purchases
    print(f"{wanted.purchases} purchases of 12 requests, {wanted.clients} client(s)")
    print(
        f"server CPU per purchase  {each * 1000:6.1f} ms, {each / floor:.1f} times the floor of {floor * 1000:.2f} ms"
    )
    print(f"purchases per second     {wanted.purchases / wall:6.1f}")
    print(f"median of one            {statistics.median(times) * 1000:6.0f} ms")
    print("bytes of each page, gzip -6, style included:")
    for name, weight in weights.items():
        print(f"  {name:10} {weight:6}")


if __name__ == "__main__":
    main()
