"""python docs/diagrams.py: draws the states of orders and payments into docs/payments.md, from the code itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STATES = ROOT / "checkoutgen/templates/shop/orders/states.py"
PAGE = ROOT / "docs/payments.md"


def tables() -> dict[str, Any]:
    """The constants of states.py, read without running it."""
    found = {}
    for node in ast.parse(STATES.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = ast.literal_eval(node.value)
    return found


def orders(moves: dict[str, dict[str, str]]) -> str:
    lines = [f"    {old} --> {new}: {why}" for old, to in moves.items() for new, why in to.items()]
    return _mermaid(["    [*] --> draft: placed, stock taken", *lines])


def attempts(moves: dict[str, tuple[str, ...]]) -> str:
    lines = [f"    {old} --> {new}" for old, to in moves.items() for new in to]
    return _mermaid(["    [*] --> requested", *lines])


def _mermaid(lines: list[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def drawn(page: str) -> str:
    """The page with its diagrams as the code has them now."""
    found = tables()
    diagrams = {
        "orders": orders(found["ORDER_MOVES"]),
        "attempts": attempts(found["ATTEMPT_MOVES"]),
        "collections": attempts(found["CAPTURE_MOVES"]),
    }
    for name, diagram in diagrams.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        page = between.sub(lambda match, diagram=diagram: f"{match[1]}{diagram}\n{match[2]}", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
