"""A shop sold in, edited by hand and built again by a newer version with a new feature still sells, with its orders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import checkoutgen
from benchmarks.campaign.processes import postgresql
from checkoutgen.spec import Spec
from tests.build.conftest import build, tree

Make = Callable[..., Spec]
Environment = dict[str, str]

HERE = Path(checkoutgen.__file__).parent
COLUMN = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "{last}")]
    operations = [migrations.AddField("order", "wish", models.TextField(default="none"))]
"""
# Runs inside the shop: somebody buys through its pages and pays by bank transfer.
BUY = """
import html, json, re
from urllib.parse import urlsplit
from django.test import Client
from catalogue.models import Variant
from orders.models import Order
client = Client(headers={"host": "127.0.0.1"})
def get(path):
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return html.unescape(answer.content.decode())
def post(path, fields):
    answer = client.post(path, fields)
    assert answer.status_code == 303 and "#" not in answer["Location"], (path, answer.status_code, answer.content)
    return urlsplit(answer["Location"]).path
sku = re.search(r'name="sku"[^>]*value="([^"]+)"', get("/fr/p/drap/"))[1]
post("/fr/cart/add/", {"sku": sku, "quantity": "1"})
get("/fr/cart/")
post("/fr/checkout/contact/", {"email": "buyer@example.org", "company": "Martin SARL", "vat_id": "FR40303265045"})
address = {"name": "Zoé Martin", "street": "8 rue Nationale", "postcode": "59800", "city": "Lille", "country": "FR"}
delivery = {f"shipping-{key}": value for key, value in address.items()}
post("/fr/checkout/delivery/", delivery | {"delivery-method": "home"})
payment = {"payment-method": "transfer", "payment-same": "on", "billing-country": "FR"}
post("/fr/checkout/payment/", payment)
total = re.search(r'name="total"[^>]*value="([^"]*)"', get("/fr/checkout/review/"))[1]
thanks = post("/fr/checkout/review/", {"total": total})
page = get(thanks)
print(json.dumps({"thanks": thanks, "number": Order.objects.latest("pk").number, "mine": "<!-- mine -->" in page}))
"""
# Runs inside the shop: what it knows, and how a page of an order answers.
SEEN = """
import json, sys
from django.test import Client
from catalogue.models import Variant
from orders.models import Order
client = Client(headers={"host": "127.0.0.1"})
print(json.dumps({
    "orders": list(Order.objects.order_by("pk").values_list("number", "total_amount", "email")),
    "stock": Variant.objects.get(product__handle="drap").stock,
    "statuses": [client.get(page).status_code for page in PAGES],
}))
"""
WITHDRAW = """
from django.test import Client
from orders.models import Order
from returns.models import Withdrawal
order = Order.objects.latest("pk")
client = Client(headers={"host": "127.0.0.1"})
page = client.post("/fr/withdraw/", {"number": order.number, "email": order.email})["Location"]
fields = {"what": "whole", "name": "Zoe Martin", "email": order.email}
assert client.post(page, fields).status_code == 303
assert client.post("/fr/withdraw/confirm/").status_code == 303
"""
JOURNAL = """
from pathlib import Path

from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "custom.journal"

    def ready(self):
        from django.db.models.signals import post_save

        from orders.models import Order

        post_save.connect(note, sender=Order, dispatch_uid="journal")


def note(instance, created, **_):
    if created:
        with (Path(__file__).parent / "orders.txt").open("a") as journal:
            journal.write(f"{instance.number}\\n")
"""


def by_transfer(source: dict[str, Any]) -> None:
    transfer = {"id": "transfer", "kind": "bank-transfer", "iban": "FR7630006000011234567890189", "holder": "Lin"}
    source["payment"]["methods"].append(transfer)


def businesses_only(source: dict[str, Any]) -> None:
    by_transfer(source)
    source["audience"] = "b2b"
    source["checkout"] = {"identification": {"guest": True, "sign_in": False, "account": "none"}}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The variables that make the shop use one."""
    if request.param == "sqlite":
        yield {}
    else:
        with postgresql() as address:
            yield {"DATABASE_URL": address}


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Version N + 1 of checkoutgen: a template changed at its end, and a table of orders has another column."""
    after = tmp_path / "after/checkoutgen"
    shutil.copytree(HERE, after, ignore=shutil.ignore_patterns("__pycache__", ".ruff_cache", "migrate_*"))
    (after / "__init__.py").write_text('__version__ = "99.0.0"\n')
    shop = after / "templates/shop"
    with (shop / "templates/shop.html").open("a") as template:
        template.write("{# newer #}\n")
    models = shop / "orders/models.py"
    field = '    wish = models.TextField(default="none")\n\n    class Meta:\n        verbose_name = _("order")\n'
    assert field.split("\n\n")[1] in models.read_text()
    models.write_text(models.read_text().replace(field.split("\n\n")[1], field, 1))
    last = max(path.stem for path in (shop / "orders/migrations").glob("0*.py"))
    (shop / "orders/migrations/9999_wish.py").write_text(COLUMN.format(last=last))
    return after


def tool(package: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    run = [sys.executable, "-P", "-m", "checkoutgen", *command]
    return subprocess.run(run, cwd=package, env=environment, capture_output=True, text=True, timeout=300)


def manage(shop: Path, *command: str, **database: str) -> str:
    plain = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "PUBLIC_URL", "VAR_DIR")}
    run = [sys.executable, "manage.py", *command]
    environment = {**plain, "DEBUG": "1", **database}
    done = subprocess.run(run, cwd=shop, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def inside(shop: Path, program: str, **database: str) -> Any:
    said = manage(shop, "shell", "--no-imports", "-c", program, **database)
    return json.loads(said.splitlines()[-1]) if said else None


def migrated(shop: Path, **database: str) -> str:
    """What was applied."""
    said = manage(shop, "migrate", "--no-input", **database)
    manage(shop, "load_catalogue", **database)
    return said


def test_orders_and_edits_survive_a_new_version_with_a_new_feature(
    make_spec: Make, out: Path, newer: Path, database: Environment
) -> None:
    spec = make_spec(businesses_only).root / "shop.yaml"
    assert tool(HERE, "build", spec, out).returncode == 0
    assert not (out / "returns").exists()
    migrated(out, **database)
    first = inside(out, BUY, **database)
    before = inside(out, SEEN.replace("PAGES", "[]"), **database)
    assert [number for number, *_ in before["orders"]] == [first["number"]]

    page = out / "templates/shop.html"
    page.write_text("{# mine #}" + page.read_text())
    (out / "Dockerfile").unlink()
    thanks = out / "custom/templates/orders/thanks.html"
    thanks.parent.mkdir(parents=True)
    thanks.write_text((out / "templates/orders/thanks.html").read_text().replace("</h1>", "</h1><!-- mine -->", 1))
    (out / "custom/static").mkdir()
    (out / "custom/static/shop.js").write_text("// mine\n")
    (out / "custom/journal").mkdir()
    (out / "custom/journal/__init__.py").touch()
    (out / "custom/journal/apps.py").write_text(JOURNAL)

    make_spec(by_transfer)
    planned = tool(newer, "plan", spec, out)
    assert planned.returncode == 0, planned.stderr
    for line in ("merge     templates/shop.html", "keep      Dockerfile", "new: 9999_wish", "returns.0001_initial"):
        assert line in planned.stdout
    built = tool(newer, "build", spec, out)
    assert (built.returncode, built.stderr) == (0, "")

    applied = migrated(out, **database)
    assert "Applying orders.9999_wish" in applied
    assert "Applying returns.0001_initial" in applied
    second = inside(out, BUY, **database)
    inside(out, WITHDRAW, **database)
    wishes = (
        "import json; from orders.models import Order; print(json.dumps([order.wish for order in Order.objects.all()]))"
    )
    assert inside(out, wishes, **database) == ["none", "none"]
    pages = ["/fr/", "/fr/cart/", "/fr/withdraw/", first["thanks"], second["thanks"]]
    after = inside(out, SEEN.replace("PAGES", json.dumps(pages)), **database)
    assert after["orders"][0] == before["orders"][0]
    assert [number for number, *_ in after["orders"]] == [first["number"], second["number"]]
    assert after["stock"] == before["stock"] - 1
    assert after["statuses"] == [200] * 5

    assert page.read_text().startswith("{# mine #}")
    assert page.read_text().endswith("{# newer #}\n")
    assert not (out / "Dockerfile").exists()
    assert (first["mine"], second["mine"]) == (False, True)
    assert (out / "custom/journal/orders.txt").read_text() == f"{second['number']}\n"
    assert str(out / "custom/static/shop.js") in manage(out, "findstatic", "--first", "shop.js", **database)
    assert "No changes" in manage(out, "makemigrations", "--check", "--dry-run", **database)
    assert tool(newer, "build", "--check", spec, out).returncode == 0


def test_what_a_feature_stored_is_there_again_when_it_comes_back(
    make_spec: Make, out: Path, database: Environment
) -> None:
    kept = "import json; from returns.models import Withdrawal; print(json.dumps(Withdrawal.objects.count()))"
    build(make_spec(by_transfer), out)
    migrated(out, **database)
    inside(out, BUY, **database)
    inside(out, WITHDRAW, **database)
    assert inside(out, kept, **database) == 1
    build(make_spec(businesses_only), out)
    assert not (out / "returns/models.py").exists()
    migrated(out, **database)
    inside(out, BUY, **database)
    build(make_spec(by_transfer), out)
    migrated(out, **database)
    assert inside(out, kept, **database) == 1
    inside(out, BUY, **database)
    inside(out, WITHDRAW, **database)
    assert inside(out, kept, **database) == 2


def test_check_update_between_two_versions(make_spec: Make, out: Path, newer: Path) -> None:
    """Version N + 1 reads a later version of the language too."""
    spec = make_spec().root / "shop.yaml"
    for path, old, new in (
        ("spec/__init__.py", "VERSION = 1 ", "VERSION = 2 "),
        ("schema/checkout.schema.json", '"description": "Version of this language.",\n   "const": 1', '"const": 2'),
    ):
        text = (newer / path).read_text()
        assert old in text
        (newer / path).write_text(text.replace(old, new, 1))

    assert tool(HERE, "build", spec, out).returncode == 0
    (out / "custom/templates").mkdir()
    (out / "custom/templates/shop.html").write_text("mine")
    before = tree(out)
    refused = tool(newer, "check-update", spec, out)
    assert refused.returncode == 2
    assert f"run `checkoutgen migrate {spec}`" in refused.stderr
    assert tool(newer, "migrate", spec).stdout == f"{spec}: now in version 2\n"
    told = tool(newer, "check-update", spec, out)
    assert (told.returncode, told.stderr) == (4, "")
    assert f"built by checkoutgen {checkoutgen.__version__}, this is 99.0.0" in told.stdout
    assert "update    templates/shop.html" in told.stdout
    assert "keep      custom/templates/shop.html  (stands in front of templates/shop.html, which changed" in told.stdout
    assert tree(out) == before
    assert tool(newer, "build", spec, out).returncode == 0
    assert tool(newer, "check-update", spec, out).returncode == 0
    assert "reads 1: update checkoutgen" in tool(HERE, "build", spec, out).stderr
    spec.write_text(spec.read_text().replace('"version": 2', '"version": 1'))
    older = tool(HERE, "build", spec, out)
    assert older.returncode == 2
    assert "the shop was built by checkoutgen 99.0.0" in older.stderr
