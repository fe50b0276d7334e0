"""docs/payments.md says what the code says."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/payments.md").read_text(encoding="utf-8")
PROVIDERS = sorted(path.parent.name for path in (ROOT / "checkoutgen/templates/payments").glob("*/schema.json"))


def test_diagrams_are_drawn_from_the_code() -> None:
    assert runpy.run_path(str(ROOT / "docs/diagrams.py"))["drawn"](PAGE) == PAGE, "run: python docs/diagrams.py"


def test_every_provider_is_told_of() -> None:
    assert [name for name in PROVIDERS if f"| `{name}` |" not in PAGE] == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_provider_folder_is_complete(name: str) -> None:
    folder = ROOT / "checkoutgen/templates/payments" / name
    adapter = folder / "shop/payments/providers" / name / "adapter.py"
    tree = ast.parse(adapter.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert functions >= {"create", "fetch", "void", "refund", "parse_webhook"}
    assert (folder / f"shop/tests/test_payments_{name}.py").is_file()
    assert "## Tested" in (folder / "README.md").read_text(encoding="utf-8") or name == "demo"


def test_the_campaign_knows_as_many_bugs_and_invariants_as_the_page_says() -> None:
    campaign = ROOT / "benchmarks/campaign"
    bugs = (campaign / "seeded.py").read_text(encoding="utf-8").count("\n@bug\n")
    invariants = (campaign / "checker.py").read_text(encoding="utf-8").count("\n@invariant(")
    assert f"one of {bugs} mistakes" in PAGE
    assert f"{invariants} invariants" in PAGE
