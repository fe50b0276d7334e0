"""A few hundred documents of the fuzzer; `python benchmarks/fuzz.py` feeds as many as one likes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checkoutgen.spec import load
from tests.hostile.conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import fuzz


@pytest.fixture
def fuzzer(tmp_path: Path) -> fuzz.Fuzzer:
    return fuzz.Fuzzer(tmp_path)


def test_documents_are_refused_or_built(fuzzer: fuzz.Fuzzer) -> None:
    count = fuzzer.run(300, 1, float("inf"))
    assert count.documents >= 300
    assert 10 < count.valid < 290
    assert dict(count.faults) == {}


def test_what_is_no_refusal_is_counted(fuzzer: fuzz.Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "load", lambda *_, **__: {}["gone"])
    fuzzer.feed(b"x")
    assert [fault.startswith("KeyError at test_fuzz.py") for fault in fuzzer.count.faults] == [True]
    monkeypatch.setattr(fuzz, "load", load)
    (fuzzer.folder / "new").touch()
    assert "files appeared or went beside the output" in fuzzer.run(1, 1, float("inf")).faults
