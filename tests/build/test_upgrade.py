"""A shop sold in, edited by hand and built again with a new feature still sells, with its orders and edits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import checkoutgen
from checkoutgen.build import plan as plans
from checkoutgen.build.render import File, render
from checkoutgen.spec import Spec
from tests.build.conftest import actions, build, tree

if TYPE_CHECKING:
    import pytest

Make = Callable[..., Spec]

SELL = """
import json
from django.core import mail
from django.test import Client
from catalogue.models import Variant
from orders.models import Order
from tests.shopping import an_order
order = an_order(Variant.objects.get(product__handle="drap"))
from orders.links import url
from django.test import override_settings
from urllib.parse import urlsplit
pages = ["/fr/", "/fr/p/drap/", "/fr/cart/", urlsplit(url(order, "orders:pay")).path]
client = Client(headers={"host": "127.0.0.1"})
print(json.dumps({
    "orders": list(Order.objects.order_by("pk").values_list("number", "total_amount")),
    "stock": Variant.objects.get(product__handle="drap").stock,
    "pages": [client.get(page).status_code for page in pages],
}))
"""


def businesses_only(source: dict[str, Any]) -> None:
    source["audience"] = "b2b"
    source["checkout"] = {"identification": {"guest": True, "sign_in": False, "account": "none"}}


def manage(shop: Path, *command: str) -> str:
    plain = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "PUBLIC_URL", "VAR_DIR")}
    run = [sys.executable, "manage.py", *command]
    done = subprocess.run(run, cwd=shop, env={**plain, "DEBUG": "1"}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sell(shop: Path) -> dict[str, Any]:
    manage(shop, "migrate", "--no-input")
    manage(shop, "load_catalogue")
    result: dict[str, Any] = json.loads(manage(shop, "shell", "--no-imports", "-c", SELL).splitlines()[-1])
    return result


def newer(spec: Spec) -> dict[str, File]:
    """What version N + 1 renders: one template changed at its end."""
    files = render(spec)
    file = files["templates/shop.html"]
    return {**files, "templates/shop.html": file._replace(content=file.content + b"{# newer #}\n")}


def test_orders_and_edits_survive_a_new_feature(make_spec: Make, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(make_spec(businesses_only), out)
    assert not (out / "returns").exists()
    before = sell(out)
    assert before["pages"] == [200] * 4

    page = out / "templates/shop.html"
    page.write_text("{# mine #}" + page.read_text())
    (out / "Dockerfile").unlink()
    (out / "custom/notes").mkdir()
    (out / "custom/notes/mine.txt").write_text("mine")

    monkeypatch.setattr(plans, "render", newer)
    planned = build(make_spec(), out)
    assert actions(planned)["returns/models.py"] == "create"
    assert actions(planned)["templates/shop.html"] == "merge"
    assert planned.conflicts == ()

    after = sell(out)
    assert after["orders"][:1] == before["orders"]
    assert len(after["orders"]) == 2
    assert after["stock"] == before["stock"] - 1
    assert after["pages"] == [200] * 4
    assert "returns_" in manage(out, "inspectdb")
    assert page.read_text().startswith("{# mine #}")
    assert page.read_text().endswith("{# newer #}\n")
    assert not (out / "Dockerfile").exists()
    assert (out / "custom/notes/mine.txt").read_text() == "mine"


def test_a_feature_that_goes_leaves_its_tables(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    sell(out)
    tables = manage(out, "inspectdb")
    assert "returns_" in tables
    build(make_spec(businesses_only), out)
    assert not (out / "returns/models.py").exists()
    assert sell(out)["pages"] == [200] * 4
    assert manage(out, "inspectdb").count("class Returns") == tables.count("class Returns") > 0


def test_check_update_between_two_versions(make_spec: Make, out: Path, tmp_path: Path) -> None:
    """Version N as it is here, version N + 1 in a package of its own: other numbers, one template changed."""
    spec = make_spec().root / "shop.yaml"
    here = Path(checkoutgen.__file__).parent
    after = tmp_path / "after/checkoutgen"
    shutil.copytree(here, after, ignore=shutil.ignore_patterns("__pycache__", ".ruff_cache"))
    (after / "__init__.py").write_text('__version__ = "99.0.0"\n')
    with (after / "templates/shop/templates/shop.html").open("a") as template:
        template.write("{# newer #}\n")
    for path, old, new in (
        ("spec/__init__.py", "VERSION = 1 ", "VERSION = 2 "),
        ("schema/checkout.schema.json", '"description": "Version of this language.",\n   "const": 1', '"const": 2'),
    ):
        text = (after / path).read_text()
        assert old in text
        (after / path).write_text(text.replace(old, new, 1))

    def run(package: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(package.parent)}
        run = [sys.executable, "-P", "-m", "checkoutgen", *command]
        return subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    assert run(here, "build", spec, out).returncode == 0
    (out / "custom/templates").mkdir()
    (out / "custom/templates/shop.html").write_text("mine")
    before = tree(out)
    refused = run(after, "check-update", spec, out)
    assert refused.returncode == 2
    assert f"run `checkoutgen migrate {spec}`" in refused.stderr
    assert run(after, "migrate", spec).stdout == f"{spec}: now in version 2\n"
    told = run(after, "check-update", spec, out)
    assert (told.returncode, told.stderr) == (4, "")
    assert f"built by checkoutgen {checkoutgen.__version__}, this is 99.0.0" in told.stdout
    assert "update    templates/shop.html" in told.stdout
    assert "keep      custom/templates/shop.html  (stands in front of templates/shop.html, which changed" in told.stdout
    assert tree(out) == before
    assert run(after, "build", spec, out).returncode == 0
    assert run(after, "check-update", spec, out).returncode == 0
    assert "reads 1: update checkoutgen" in run(here, "build", spec, out).stderr
    spec.write_text(spec.read_text().replace('"version": 2', '"version": 1'))
    older = run(here, "build", spec, out)
    assert older.returncode == 2
    assert "the shop was built by checkoutgen 99.0.0" in older.stderr
