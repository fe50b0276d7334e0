"""Commands about specs, run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkoutgen import __version__
from checkoutgen.errors import UsageError
from checkoutgen.spec import load
from checkoutgen.starter import presets, start

from .conftest import change, minimal, written


def run(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "checkoutgen", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
    )
    text = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in text.stderr
    return text


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "spec.yaml").write_bytes(written(minimal()))
    return tmp_path / "spec.yaml"


def test_a_valid_spec(spec: Path) -> None:
    done = run("validate", str(spec))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{spec}: valid; 1 products, 1 markets\n"


def test_standard_input(spec: Path) -> None:
    assert run("validate", "-", stdin=spec.read_bytes()).stdout.startswith("-: valid")
    done = run("validate", "-", stdin=b"shop: [\n")
    assert done.returncode == 2
    assert done.stderr.startswith("-:2:1: not valid YAML")


def test_every_spec_is_checked(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: no\n")
    done = run("validate", str(tmp_path / "bad.yaml"), str(tmp_path / "none.yaml"), str(spec))
    assert done.returncode == 2
    assert ": valid" in done.stdout
    assert "none.yaml: does not exist" in done.stderr
    assert f"{tmp_path}/bad.yaml:1:4: a: 'no' means" in done.stderr


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}, {"NO_COLOR": "1"}]
)
def test_h71_any_locale(tmp_path: Path, environment: dict[str, str]) -> None:
    path = tmp_path / "é.yaml"
    path.write_bytes(written(change(minimal(), "checkout.layout", "Seiten für Käufer")))
    done = run("validate", str(path), **environment)
    assert done.returncode == 2
    assert "layout: 'Seiten f\\xfcr K\\xe4ufer' is none of: steps, one-page" in done.stderr
    assert "\x1b" not in done.stderr


def test_h70_modules_beside_the_spec_are_not_imported(spec: Path) -> None:
    for name in ("yaml.py", "jinja2.py", "sitecustomize.py", "checkoutgen.py", "typer.py"):
        (spec.parent / name).write_text("raise SystemExit('imported')")
    script = Path(sys.executable).parent / "checkoutgen"
    if not script.exists():
        pytest.fail("checkoutgen is not installed in this environment")
    done = subprocess.run([script, "validate", spec.name], capture_output=True, text=True, cwd=spec.parent)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments", [["vlidate"], ["validate"], ["validate", "--nope", "x"], ["validate", "none.yaml"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr


def test_version_and_help() -> None:
    assert run("--version").stdout == f"{__version__}\n"
    assert "validate" in run("--help").stdout


def test_schema_is_printed_whole() -> None:
    printed = json.loads(run("schema").stdout)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "demo" in printed["properties"]["payment"]["properties"]["providers"]["properties"]


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m checkoutgen schema | head -1", shell=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_full_disk_is_told(spec: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "checkoutgen", "validate", spec], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (70, "checkoutgen: No space left on device\n")


def test_an_internal_error_is_short(spec: Path) -> None:
    code = (
        "import checkoutgen.cli as c, checkoutgen.spec as s\n"
        "def broken(*a, **k): raise ZeroDivisionError('secret')\n"
        f"s.load = broken\nimport sys\nsys.argv = ['checkoutgen', 'validate', {str(spec)!r}]\nc.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 70
    assert done.stderr.startswith("checkoutgen: internal error (ZeroDivisionError)")
    assert "secret" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_init_wants_an_empty_folder_and_a_known_preset(tmp_path: Path) -> None:
    done = run("init", str(tmp_path / "new"), "--preset", "b2c-xx")
    assert done.returncode == 2
    assert "there is no preset 'b2c-xx'" in done.stderr
    done = run("init", str(tmp_path / "new"))
    assert done.returncode == 2
    assert "--preset" in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("preset", presets())
def test_init_writes_a_valid_spec(tmp_path: Path, preset: str) -> None:
    spec = start(tmp_path / "shop", preset)
    assert load(spec).file == str(tmp_path / "shop" / "checkout.yaml")


def test_init_leaves_a_folder_with_files_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        start(tmp_path, "b2c-fr")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
