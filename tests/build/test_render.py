"""The same spec gives the same bytes everywhere, and each shop has only what its spec asks for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen.build import render as renders
from checkoutgen.build.render import render
from checkoutgen.build.sbom import sbom
from checkoutgen.build.select import select
from checkoutgen.build.written import written
from checkoutgen.spec import Spec, load, reader
from tests.build.conftest import SOURCE

Make = Callable[..., Spec]
ROOT = Path(__file__).parents[2]
EXAMPLES = ("b2c", "b2b", "minimal")
DIGESTS = """
import hashlib, json, os, sys
if os.environ.get("REVERSED"):
    listed, scanned = os.listdir, os.scandir
    class scandir(list):
        def __init__(self, *path): super().__init__(sorted(scanned(*path), key=lambda entry: entry.name, reverse=True))
        def __enter__(self): return iter(self)
        def __exit__(self, *_): pass
        close = __exit__
    os.listdir, os.scandir = lambda *path: sorted(listed(*path), reverse=True), scandir
from pathlib import Path
from checkoutgen.build.render import render
from checkoutgen.build.sbom import sbom
from checkoutgen.spec import load
files = render(load(Path(sys.argv[1])))
print(json.dumps([(path, hashlib.sha256(file.content).hexdigest(), file.executable) for path, file in files.items()]))
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_rendering_twice_gives_the_same_bytes(example: str) -> None:
    path = ROOT / f"examples/{example}.yaml"
    assert render(load(path)) == render(load(path))


def test_machine_and_surroundings_do_not_matter(tmp_path: Path) -> None:
    """Other hash seeds, time zones, locales, home folders, working folders and orders of files in a folder."""
    surroundings: list[tuple[dict[str, str], Path]] = [
        ({"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "LANG": "C"}, ROOT),
        ({"REVERSED": "1"}, ROOT),
        ({"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}, tmp_path),
        (
            {"PYTHONHASHSEED": "4711", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "HOME": str(tmp_path)},
            tmp_path,
        ),
    ]
    seen = set()
    for variables, folder in surroundings:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables}
        spec = os.path.relpath(ROOT / "examples/b2c.yaml", folder)
        command = [sys.executable, "-c", DIGESTS, spec]
        seen.add(subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True).stdout)
    assert len(seen) == 1
    assert len(json.loads(seen.pop())) > 100


@pytest.mark.parametrize("name", ["__import__", "a b", "x]", "A", "", "é", "-x", "a\n"])
def test_only_identifiers_are_put_into_templates(name: str, make_spec: Make) -> None:
    data = make_spec().data
    data["shop"]["languages"] = [name]
    with pytest.raises(ValueError, match="not an identifier"):
        renders.identifiers(data, {})


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    with pytest.raises(Exception, match="undefined"):
        renders._filled("x.py", b"[[ surprise ]]", {"apps": []})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(json_values)
def test_indented_json_is_read_back_as_it_was(value: Any) -> None:
    assert json.loads(renders._indented(value)) == value


odd_texts = st.sampled_from(
    ["no", "NO", "012", "9:00", "1e3", "a\nb", "a\n\nb\n", " a\nb", "a\n b", "a\n", "\n", "", "- a", "a: b", "# x",
     "a\n# b", "|", "null", "5.90", "true", "a\n\n", "a\tb\nc", "x \ny", "a\n   \nb", "\ta\nb", "---\nx", "'", '"',
     "\\", "{{ x }}", "🧵"]
) | st.text("ab :#-'\"\n\t|>&*!%@{}[],?é🧵")  # fmt: skip
documents = st.dictionaries(
    st.text("abNO-_1é", min_size=1, max_size=8),
    st.recursive(
        st.booleans() | st.integers(-(10**9), 10**9) | odd_texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abNO -", min_size=1), inner, max_size=4),
        max_leaves=15,
    ),
    min_size=1,
)


@given(documents)
def test_a_written_document_is_read_back_as_it_was(document: dict[str, Any]) -> None:
    text = written(document)
    assert yaml.safe_load(text) == document
    assert reader.read(text.encode(), "x").value == document


def test_markets_and_categories_keep_their_order(make_spec: Make) -> None:
    shop = json.loads(render(make_spec())["config/shop.json"].content)
    assert list(shop["markets"]) == ["FR", "BE"]
    assert list(shop["catalogue"]["categories"]) == ["sheets", "bath"]


def test_the_written_spec_is_valid_and_says_the_same(make_spec: Make, tmp_path: Path) -> None:
    spec = make_spec(lambda source: source["shop"].update(tagline="no", name="09:00"))
    (tmp_path / "spec/again.yaml").write_bytes(render(spec)["checkout.yaml"].content)
    again = load(tmp_path / "spec/again.yaml")
    assert again.data == spec.data
    shop = yaml.safe_load(render(spec)["checkout.yaml"].content)["shop"]
    assert shop == {**SOURCE["shop"], "tagline": "no", "name": "09:00"}


def guests_only(source: dict[str, Any]) -> None:
    source["checkout"] = {"identification": {"guest": True, "sign_in": False, "account": "none"}}


def test_a_shop_has_only_the_apps_it_asks_for(make_spec: Make) -> None:
    consumers = select(make_spec().data)
    assert "returns/apps.py" in consumers
    assert "business/apps.py" not in consumers
    businesses = select(make_spec(lambda source: source.update(audience="b2b")).data)
    assert not [
        path for path in businesses if path.startswith(("returns/", "templates/returns/", "tests/test_returns"))
    ]


def test_without_accounts_only_the_user_model_stays(make_spec: Make) -> None:
    assert "templates/accounts/home.html" in select(make_spec().data)
    guests = [path for path in select(make_spec(guests_only).data) if "accounts" in path]
    assert {"accounts/models.py", "accounts/migrations/0001_initial.py"} <= set(guests)
    assert not {
        "accounts/views.py",
        "accounts/urls.py",
        "tests/test_accounts.py",
        "templates/accounts/home.html",
    } & set(guests)


def test_only_the_chosen_providers_and_languages_are_there(make_spec: Make) -> None:
    files = render(make_spec())
    assert "payments/providers/demo/adapter.py" in files
    assert {path.split("/")[1] for path in files if path.startswith("locale/")} == {"en", "fr"}

    def transfer(source: dict[str, Any]) -> None:
        source["payment"] = {
            "methods": [
                {"id": "transfer", "kind": "bank-transfer", "iban": "FR7630006000011234567890189", "holder": "Lin"}
            ]
        }

    assert not [path for path in render(make_spec(transfer)) if path.startswith("payments/providers/demo")]


def test_the_bill_of_materials_is_the_lock(make_spec: Make) -> None:
    files = render(make_spec())
    lock = files["requirements.lock"].content.decode()
    components = json.loads(files["sbom.cdx.json"].content)["components"]
    assert {f"{component['name']}=={component['version']}" for component in components} == {
        line.split()[0] for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))
    }
    hashes = [entry for component in components for entry in component["hashes"]]
    assert {entry["alg"] for entry in hashes} == {"SHA-256"}
    assert sorted(entry["content"] for entry in hashes) == sorted(re.findall("sha256:([0-9a-f]+)", lock))
    assert all(component["hashes"] for component in components)


def test_packages_of_two_locks_stand_once_each_with_its_own_hashes() -> None:
    one, two = "a" * 64, "b" * 64
    first = f"zlib-ng==1.0 ; os_name == 'nt' \\\n    --hash=sha256:{one} \\\n    --hash=sha256:{two}\n    # via x\n"
    again = f"abc[extra]==2.0 \\\n    --hash=sha256:{two}\n{first}"
    found = json.loads(sbom([first, again]))["components"]
    assert [(component["purl"], [entry["content"] for entry in component["hashes"]]) for component in found] == [
        ("pkg:pypi/abc@2.0", [two]),
        ("pkg:pypi/zlib-ng@1.0", [one, two]),
    ]


def test_every_file_says_which_part_of_the_spec_made_it(make_spec: Make) -> None:
    files = render(make_spec())
    assert files["static/pictures/drap.svg"].sources == ("catalogue.products[0].pictures[0]",)
    assert files["content/legal/terms.fr.md"].sources == ("legal.pages.terms",)
    assert files["accounts/views.py"].sources == ("checkout.identification",)
    assert files["cart/models.py"].sources == ()
