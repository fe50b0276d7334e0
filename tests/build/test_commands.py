"""plan, build, why and serve on the command line: exit codes, one message for a mistake, nothing written for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from checkoutgen import __version__
from checkoutgen.spec import Spec
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
MINIMAL = ROOT / "examples/minimal.yaml"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checkoutgen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_build_then_check_then_an_edit_then_a_conflict(tmp_path: Path) -> None:
    shutil.copytree(MINIMAL.parent / "minimal", tmp_path / "minimal")
    out, spec = tmp_path / "shop", tmp_path / "shop.yaml"
    spec.write_text(MINIMAL.read_text())
    assert run("build", "--check", spec, out).returncode == 4
    assert not out.exists()
    built = run("build", spec, out)
    assert (built.returncode, built.stderr) == (0, "")
    assert "created" in built.stdout
    assert run("build", "--check", spec, out).returncode == 0
    shop = json.loads((out / "config/shop.json").read_text())
    assert shop["version"] == 1
    name = shop["shop"]["name"]
    (out / "config/shop.json").write_text((out / "config/shop.json").read_text().replace(f'"{name}"', '"Mine"'))
    assert run("build", "--check", spec, out).returncode == 0
    spec.write_text(MINIMAL.read_text().replace(f"name: {name}", "name: Theirs"))
    assert run("build", "--check", spec, out).returncode == 5
    assert run("plan", spec, out).returncode == 5
    assert "<<<<<<<" not in (out / "config/shop.json").read_text()
    conflict = run("build", spec, out)
    assert conflict.returncode == 5
    assert "conflict  config/shop.json" in conflict.stdout
    again = run("build", spec, out)
    assert again.returncode == 5
    assert "markers" in again.stderr
    assert run("build", spec, out, "--restore", "config/shop.json").returncode == 0
    assert run("build", "--check", spec, out).returncode == 0


def test_a_broken_spec_writes_nothing(tmp_path: Path) -> None:
    spec = tmp_path / "shop.yaml"
    spec.write_text("version: 1\nshop: 3\n")
    result = run("build", spec, tmp_path / "out")
    assert result.returncode == 2
    assert "shop.yaml:2:" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["shop.yaml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_place_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    result = run("build", MINIMAL, tmp_path / "locked/shop")
    assert result.returncode == 2
    assert "no permission" in result.stderr


def test_a_foreign_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    result = run("build", MINIMAL, tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert "not empty" in result.stderr


def test_a_shop_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "shop"
    assert run("check-update", MINIMAL, out).returncode == 4
    run("build", MINIMAL, out)
    current = run("check-update", MINIMAL, out)
    assert current.returncode == 0
    assert f"built by checkoutgen {__version__}, this is {__version__}" in current.stdout
    manifest = out / ".checkoutgen/manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"tool": "{__version__}"', '"tool": "99.1"'))
    newer = run("build", MINIMAL, out)
    assert newer.returncode == 2
    assert "built by checkoutgen 99.1" in newer.stderr


def test_migrate_has_nothing_to_do_yet(tmp_path: Path) -> None:
    assert "version 1, the newest; nothing to migrate" in run("migrate", MINIMAL).stdout
    (tmp_path / "newer.yaml").write_text("# comment\nversion: 2\nunheard_of: 1\n")
    for command in ("migrate", "validate"):
        newer = run(command, tmp_path / "newer.yaml")
        assert (newer.returncode, newer.stdout) == (2, "")
        assert newer.stderr == (
            f"{tmp_path}/newer.yaml:2:1: version: this spec is written in version 2 of the language, and this "
            "checkoutgen reads 1: update checkoutgen\n"
        )


def test_plan_has_three_forms(tmp_path: Path) -> None:
    assert "created" in run("plan", MINIMAL, tmp_path / "shop").stdout
    content = json.loads(run("plan", MINIMAL, tmp_path / "shop", "--format", "json").stdout)
    assert content["tool"] == __version__
    assert {change["action"] for change in content["files"]} == {"create"}
    assert run("plan", MINIMAL, tmp_path / "shop", "--format", "markdown").stdout.startswith("### Shop: ")
    assert not (tmp_path / "shop").exists()


def test_why_names_the_lines_of_the_spec() -> None:
    assert "minimal.yaml:" in run("why", MINIMAL, "content/catalogue.json").stdout
    assert "part of every shop" in run("why", MINIMAL, "cart/models.py").stdout
    assert "(a default)" in run("why", MINIMAL, "config/shop.json").stdout
    wrong = run("why", MINIMAL, "cart/model.py")
    assert wrong.returncode == 2
    assert "did you mean 'cart/models.py'" in wrong.stderr


def test_why_looks_into_the_shop_that_a_path_leads_to(tmp_path: Path) -> None:
    out = tmp_path / "shop"
    run("build", MINIMAL, out)
    assert "content/catalogue.json: generated, from\n" in run("why", MINIMAL, out / "content/catalogue.json").stdout
    (out / "cart/models.py").write_text("mine")
    assert run("why", MINIMAL, out / "cart/models.py").stdout == (
        "cart/models.py: generated, edited by you; part of every shop\n"
    )
    (out / "Dockerfile").unlink()
    assert "generated, deleted by you" in run("why", MINIMAL, out / "Dockerfile").stdout
    assert "written once, yours since" in run("why", MINIMAL, out / "custom/README.md").stdout
    (out / "custom/mine.py").touch()
    assert run("why", MINIMAL, out / "custom/mine.py").stdout == "custom/mine.py: yours; no build made it\n"
    assert "no such file" in run("why", MINIMAL, out / "custom/none.py").stderr


def test_a_busy_port_is_one_message(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        result = run("serve", MINIMAL, "--out", tmp_path / "shop", "--port", str(busy.getsockname()[1]))
    assert result.returncode == 2
    assert "--port" in result.stderr
    assert not (tmp_path / "shop").exists()


def test_serve_refuses_a_place_before_it_locks_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere/folder").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere/folder")
    before = (tmp_path / "elsewhere").stat().st_mtime_ns
    result = run("serve", MINIMAL, "--out", tmp_path / "link", "--port", "0")
    assert (result.returncode, result.stdout) == (2, "")
    assert "symbolic link" in result.stderr
    assert (tmp_path / "elsewhere").stat().st_mtime_ns == before


def test_serve_runs_the_shop_until_it_is_stopped(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "checkoutgen",
        "serve",
        str(MINIMAL),
        "--out",
        str(tmp_path / "shop"),
        "--port",
        str(free_port()),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as serving:
        try:
            assert serving.stdout is not None
            said = []
            for line in serving.stdout:
                said.append(line)
                if "Starting development server at" in line:
                    break
            address = next(line.split()[1] for line in said if line.strip().startswith("shop "))
            assert urllib.request.urlopen(address, timeout=20).status == 200
            assert any("back office" in line and "@" in line for line in said)
            serving.send_signal(signal.SIGTERM)
            serving.wait(timeout=60)
        finally:
            serving.kill()  # or the end of this block would wait for ever
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2]))) != 0


def test_preview_writes_every_page_and_mail_for_sign_off(tmp_path: Path) -> None:
    out = tmp_path / "preview"
    done = run("preview", MINIMAL, out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f" are in {out}.\n")
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    seen = ("", "p/savon-olive/", "cart/", "cart/with-goods/", "no-such-page/", "legal/terms/", "withdraw/")
    steps = ("contact", "delivery", "payment")
    way = [f"checkout/{step}/{state}" for step in steps for state in ("", "nothing-filled-in/", "filled-in/")]
    orders = [f"order/state-{state}/" for state in ("pending_payment", "confirmed", "fulfilled", "cancelled")]
    for place in (*seen, *way, "checkout/review/", *orders, "order/state-confirmed/thanks/"):
        assert f"fr/{place}index.html" in files, place
    assert len([path for path in files if path.startswith("mails/fr/") and path.endswith(".txt")]) >= 10
    assert "Digest: " in (out / "promises.txt").read_text()
    for path in sorted(path for path in files if path.endswith("index.html")):
        html = (out / path).read_text()
        for link in re.findall(r'(?:href|src)="(?![a-z]+:|#|//|\?)([^"#?]+)', html):
            assert (out / path).parent.joinpath(link).exists(), f"{path} leads to {link}"
        assert not re.search(r'csrfmiddlewaretoken" value="[^"]', html)
    again = run("preview", MINIMAL, out)
    assert again.returncode == 2
    assert "not a new or an empty folder" in again.stderr


def test_preview_shows_the_payment_page_and_calls_no_provider(make_spec: Callable[..., Spec], tmp_path: Path) -> None:
    methods = [{"id": name, "kind": "card", "provider": name, "mode": "fields"} for name in ("demo", "stripe")]
    spec = make_spec(lambda source: source["payment"].update(methods=methods))
    out = tmp_path / "preview"
    done = run("preview", spec.root / spec.file, out)
    assert done.returncode == 0, done.stderr
    for language in spec.data["shop"]["languages"]:
        for name in ("demo", "stripe"):
            html = (out / language / f"order/fields-{name}/index.html").read_text()
            assert 'id="fields-place"' in html
            assert "stripe.com" not in html
            assert (out / "static/payments/fields.js").is_file()
    assert "in fields of stripe in a page of the shop" in (out / "promises.txt").read_text()
