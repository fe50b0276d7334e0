"""The installed wheel builds the same bytes as the checkout; wheel and sdist are the same everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.build.conftest import tree

ROOT = Path(__file__).parents[2]
PACKAGED = (
    "checkoutgen",
    "docs",
    "examples",
    "tests",
    "README.md",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    ".gitignore",
)

pytestmark = pytest.mark.xdist_group("wheel")


def package(source: Path, target: Path, **environment: str) -> dict[str, bytes]:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    return tree(target)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    package(ROOT, target)
    return target


def test_wheel_and_sdist_are_the_same_bytes_from_another_folder_at_another_time(packages: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in PACKAGED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    again = package(copy, tmp_path / "dist", TZ="Asia/Kathmandu", PYTHONHASHSEED="7", LC_ALL="C")
    assert {path.suffix for path in packages.iterdir()} == {".whl", ".gz"}
    assert [name for name, content in tree(packages).items() if again.get(name) != content] == []


def test_an_installed_wheel_builds_what_the_checkout_builds(packages: Path, tmp_path: Path) -> None:
    """In a new environment, from the locked versions with their hashes, outside of the checkout."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: str | Path) -> None:
        done = subprocess.run([*map(str, command)], cwd=tmp_path, env=plain, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements/tool.lock")
    run(*pip, "--no-deps", *packages.glob("*.whl"))
    run(tmp_path / "venv/bin/checkoutgen", "build", ROOT / "examples/b2c.yaml", tmp_path / "installed")
    plain["PYTHONPATH"] = str(ROOT)
    run(sys.executable, "-m", "checkoutgen", "build", ROOT / "examples/b2c.yaml", tmp_path / "checkout")
    installed, checkout = tree(tmp_path / "installed"), tree(tmp_path / "checkout")
    assert len(installed) > 200
    assert installed.keys() == checkout.keys()
    assert [path for path in installed if installed[path] != checkout[path]] == []

    del plain["PYTHONPATH"]
    template = next(tmp_path.glob("venv/lib/*/site-packages/checkoutgen")) / "templates/shop/manage.py"
    content = template.read_bytes()
    for damage in (template.unlink, lambda: template.write_bytes(content + b"# more\n")):
        damage()
        for command in ("plan", "build"):
            done = subprocess.run(
                [tmp_path / "venv/bin/checkoutgen", command, ROOT / "examples/minimal.yaml", tmp_path / "h74"],
                cwd=tmp_path, env=plain, capture_output=True, text=True,
            )  # fmt: skip
            assert (done.returncode, done.stdout) == (70, "")
            assert "installation is damaged (templates/shop/manage.py)" in done.stderr
            assert not (tmp_path / "h74").exists()
