"""Hostile specs, files and folders on the command line: refused at their place with nothing written, or built inertly.

Each command runs in a process of its own, whose audit hook ends it when it starts a process, opens a connection or
changes anything but its output folder. H and a number is a kind of hostile input;
the tests of `tests/spec` use the same.
"""

# ruff: noqa: E501 - hostile values are long and stand better whole

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.conftest import ROOT, Done, listing
from tests.spec.conftest import change, minimal, written
from tests.spec.test_files import png

Run = Callable[..., Done]

PRODUCT = "catalogue.products.0"
PLACE = re.compile(r"(?:\./)?spec\.yaml:[0-9]+:[0-9]+: ")
CANARY = "canary-5f0c1d"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with what a hostile pull request could bring beside its spec."""
    (tmp_path / "secret").write_text(CANARY)
    spec = tmp_path / "repository"
    spec.mkdir()
    (spec / "link.md").symlink_to(tmp_path / "secret")
    (spec / "link.csv").symlink_to(tmp_path / "secret")
    (spec / "elsewhere").symlink_to(tmp_path)
    (spec / "environ.md").symlink_to("/proc/self/environ")
    (spec / "folder.md").mkdir()
    (spec / "folder.yaml").mkdir()
    os.mkfifo(spec / "pipe.md")
    (spec / "latin.md").write_bytes("é".encode("latin-1"))
    (spec / "huge.md").write_text("x" * ((1 << 20) + 1))
    with (spec / "huge.csv").open("wb") as huge:
        huge.truncate(1 << 40)  # a tebibyte of nothing, which takes no place
    (spec / "cell.csv").write_bytes(b"Handle,Title,Variant Price\na," + b"x" * 70_000 + b",1\n")
    (spec / "nul.csv").write_bytes(b"Handle,Title,Variant Price\na,x\0y,1\n")
    (spec / "twice.csv").write_text("Handle,Title,Variant SKU,Variant Price\na,A,SAME,1\nb,B,SAME,2\n")
    (spec / "rows.csv").write_text("Handle,Title,Variant Price\n" + "a,A,1\n" * 20_100)
    (spec / "quote.csv").write_text('Handle,Title,Variant Price\na,"A,1\n')
    with zipfile.ZipFile(spec / "slip.csv", "w") as archive:
        archive.writestr("../../x", "x")
    (spec / "entities.svg").write_text(
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'
    )
    (spec / "outside.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><image href="file:///etc/passwd"/></svg>'
    )
    (spec / "script.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>1</script></svg>'
    )
    (spec / "page.png").write_text("<html><script>1</script>")
    (spec / "both.png").write_bytes(png(20, 10) + b"<html><script>1</script>")
    (spec / "inside.png").write_bytes(png(20, 10, b"Comment\0<script>1</script>"))
    (spec / "vast.png").write_bytes(png(50_000, 50_000))
    (spec / "self.yaml").write_bytes(written({"extends": ["self.yaml"]}))
    (spec / "one.yaml").write_bytes(written({"extends": ["two.yaml"]}))
    (spec / "two.yaml").write_bytes(written({"extends": ["one.yaml"]}))
    for number in range(70):
        (spec / f"chain{number}.yaml").write_bytes(written({"extends": [f"chain{number + 1}.yaml"]}))
    (spec / "many.yaml").write_bytes(written({}))
    return spec


FILES = ("../../etc/passwd", "/etc/passwd", "..\\x", "x.md\0.txt", "file:///etc/passwd", "C:\\x", "~/.ssh/id_rsa",
         "$HOME/x", "elsewhere/secret", "x.md\n", "./x.md", ".git/config", "/dev/zero", "/proc/self/environ")  # fmt: skip

REFUSED: list[tuple[str, str, Any]] = [
    *[(f"H36 {field}", path, wrap(name)) for name in FILES[:3] for field, path, wrap in (
        ("logo", "shop.theme.logo", lambda name: name),
        ("extends", "extends", lambda name: ["other:" + name]),
    )],
    *[("H36 legal text", "legal.pages.terms", {"file": name}) for name in FILES],
    *[("H36 catalogue", "catalogue.files", [name]) for name in (*FILES[:4], "elsewhere/secret", "x.exe")],
    ("H36 picture", f"{PRODUCT}.pictures", [{"file": "../secret", "alt": "x"}]),
    ("H37 link", "legal.pages.terms", {"file": "link.md"}),
    ("H37 link to the environment", "legal.pages.terms", {"file": "environ.md"}),
    ("H37 link, catalogue", "catalogue.files", ["link.csv"]),
    ("H37 folder", "legal.pages.terms", {"file": "folder.md"}),
    ("H37 pipe", "legal.pages.terms", {"file": "pipe.md"}),
    ("H37 not UTF-8", "legal.pages.terms", {"file": "latin.md"}),
    ("H65 too long", "legal.pages.terms", {"file": "huge.md"}),
    *[(f"H38 {name}", "shop.theme.logo", name) for name in
      ("entities.svg", "outside.svg", "script.svg", "page.png", "both.png", "inside.png", "vast.png")],
    ("H39 itself", "extends", ["self.yaml"]),
    ("H39 loop", "extends", ["one.yaml"]),
    ("H39 chain", "extends", ["chain0.yaml"]),
    ("H39 10,000", "extends", ["many.yaml"] * 10_000),
    ("H39 folder", "extends", ["folder.yaml"]),
    ("H39 address", "extends", ["http://evil.example/x.yaml"]),
    *[(f"H40 {name}", "catalogue.files", [f"{name}.csv"]) for name in ("huge", "cell", "nul", "twice", "rows", "quote", "slip")],
    *[("H42 slug", "shop.slug", slug) for slug in (".git", "..", "a/b", "a\nb", "", "-rf", "con", "x" * 300)],
    *[("H46 environment", "payment.providers.demo.webhook_secret", value) for value in ("env:A=b\nDEBUG=1", "env:PATH`id`", "$(id)")],
    *[("H48 workflow command", "checkout.layout", value) for value in ("a\n::add-mask::x", "::stop-commands::t", "::error file=x::")],
    *[("H49 terminal", "checkout.layout", value) for value in ("[/red]", "x" * 60_000, "\u241b[2J")],
    *[("H51 sender", "mails.from.name", name) for name in
      ("Shop\nBcc: a@b.example", "Shop, evil <x@y.example>", "=?utf-8?q?x?=", '"', "x" * 1000)],
    *[("H52 reply to", "mails.reply_to", address) for address in
      ("a@b.example, c@d.example", "a@b@c.example", "a@-b.example", "a@b.example\n", "a@\u0430pple.example")],
    ("H61 secret", "shop.tagline", "sk_live_" + CANARY.replace("-", "0")),
    ("H61 DSN", "shop.tagline", f"postgres://shop:{CANARY}@db.example/shop"),
    ("H61 key", "legal.pages.terms", f"-----BEGIN PRIVATE KEY-----\n{CANARY}"),
    ("H64 handle", f"{PRODUCT}.id", "%2e%2e"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"), [pytest.param(*case[1:], id=f"{case[0]} {ascii(case[2])[:40]}") for case in REFUSED]
)
def test_refused_at_its_place_with_nothing_written(run: Run, work: Path, path: str, value: Any) -> None:
    (work / "spec.yaml").write_bytes(written(change(minimal(), path, value)))
    before = listing(work.parent)
    done = run("build", "spec.yaml", "shop", out=work / "shop", cwd=work, CANARY=CANARY)
    assert (done.code, done.out, done.stopped) == (2, "", []), done.err
    _harmless(done)
    named = [line for line in done.err.splitlines() if PLACE.match(line)]
    assert named or re.match(r"[a-z0-9]+\.(yaml|csv):[0-9]+:[0-9]+: ", done.err), done.err
    assert listing(work.parent) == before
    assert [
        name for name in done.read if name in ("/etc/passwd", "/proc/self/environ", str(work.parent / "secret"))
    ] == []


def _harmless(done: Done) -> None:
    """What every message is: short lines of plain characters, none of them a command to the program that reads it."""
    said = done.out + done.err
    assert "Traceback" not in said
    assert CANARY not in said
    assert CANARY.replace("-", "0") not in said
    for line in said.splitlines():
        assert not line.startswith("::")
        assert len(line) < 800
        assert line.isprintable()
    assert done.seconds < 2


def test_h55_thousands_of_problems_are_counted(run: Run, work: Path) -> None:
    (work / "spec.yaml").write_bytes(written(minimal() | {f"unknown{n}": 1 for n in range(9_000)}))
    done = run("build", "spec.yaml", "shop", cwd=work)
    assert done.code == 2
    _harmless(done)
    assert done.err.splitlines()[-1] == "and 8,950 more"
    assert len(done.err.splitlines()) == 51


OUTPUTS = {
    "a link to /": ("symbolic link", lambda at: (at / "shop").symlink_to("/")),
    "a link to a folder": ("symbolic link", lambda at: (at / "shop").symlink_to(at.parent)),
    "a dead link": ("symbolic link", lambda at: (at / "shop").symlink_to("nowhere")),
    "a file": ("not a folder", lambda at: (at / "shop").write_text("x")),
    "a pipe": ("not a folder", lambda at: os.mkfifo(at / "shop")),
    "a foreign folder": ("not empty", lambda at: shutil.copytree(ROOT / "examples/minimal", at / "shop")),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_h41_an_output_that_is_no_folder_of_ours(run: Run, work: Path, kind: str) -> None:
    words, make = OUTPUTS[kind]
    (work / "spec.yaml").write_bytes(written(minimal()))
    make(work)
    _refused_output(run, work, "shop", words)


@pytest.mark.parametrize(
    ("out", "words"),
    [(".", "folder of the spec"), ("/", "no place"), ("..", "no place"), (".git", "no place"), (".git/hooks", "no place"),
     ("../repository", "folder of the spec"), ("elsewhere", "symbolic link"), ("folder.md/../.", "folder of the spec")],
)  # fmt: skip
def test_h41_places_where_no_shop_can_stand(run: Run, work: Path, out: str, words: str) -> None:
    (work / "spec.yaml").write_bytes(written(minimal()))
    (work / ".git/hooks").mkdir(parents=True)
    _refused_output(run, work, out, words)


def _refused_output(run: Run, work: Path, out: str, words: str) -> None:
    before = listing(work.parent)
    for command in ("plan", "build"):
        done = run(command, "spec.yaml", out, out=work / "shop", cwd=work)
        assert (done.code, done.out) == (2, ""), done.err
        assert words in done.err
        _harmless(done)
        assert done.stopped == []
        assert listing(work.parent) == before


@pytest.fixture
def built(run: Run, work: Path) -> Path:
    (work / "spec.yaml").write_bytes(written(minimal()))
    done = run("build", "spec.yaml", "shop", out=work / "shop", cwd=work)
    assert (done.code, done.err, done.stopped) == (0, "", [])
    assert done.seconds < 2
    return work / "shop"


@pytest.mark.parametrize("inside", ["static", "config", ".checkoutgen", "README.md", "config/shop.json"])
def test_h41_a_link_inside_the_output_is_not_followed(run: Run, work: Path, built: Path, inside: str) -> None:
    victim = work.parent / "victim"
    victim.mkdir()
    if (built / inside).is_dir():
        shutil.copytree(built / inside, victim, dirs_exist_ok=True)
        shutil.rmtree(built / inside)
        (built / inside).symlink_to(victim)
    else:
        (built / inside).rename(victim / "file")
        (built / inside).symlink_to(victim / "file")
    (work / "spec.yaml").write_bytes(written(change(minimal(), "shop.name", "Other")))
    before = listing(victim)
    done = run("build", "spec.yaml", "shop", out=built, cwd=work)
    assert (done.code, done.stopped) == (2, [])
    _harmless(done)
    assert listing(victim) == before


MANIFESTS = {
    "not JSON": "x",
    "a list": "[]",
    "deep": "[" * 100_000,
    "another format": '{"format": 99, "tool": "1", "files": {}}',
    "outside": '{"format": 1, "tool": "1", "files": {"../secret": {"digest": "x", "executable": false, "owner": "generated", "sources": []}}}',
    "absolute": '{"format": 1, "tool": "1", "files": {"/etc/passwd": {"digest": "x", "executable": false, "owner": "generated", "sources": []}}}',
    "git": '{"format": 1, "tool": "1", "files": {".git/config": {"digest": "x", "executable": false, "owner": "generated", "sources": []}}}',
    "huge number": '{"format": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_forged_manifest_reaches_nothing(run: Run, work: Path, built: Path, kind: str) -> None:
    (built / ".checkoutgen/manifest.json").write_text(MANIFESTS[kind])
    (built / ".git").mkdir()
    (built / ".git/config").write_text("mine")
    (work / "spec.yaml").write_bytes(written(change(minimal(), "shop.name", "Other")))
    done = run("build", "spec.yaml", "shop", out=built, cwd=work)
    assert done.code in (0, 2, 5)
    assert done.stopped == []
    _harmless(done)
    assert (built / ".git/config").read_text() == "mine"
    assert (work.parent / "secret").read_text() == CANARY


def test_h48_names_in_a_forged_manifest_stay_on_their_line(run: Run, work: Path, built: Path) -> None:
    """The repository's author names its files; what a plan says of them goes to a log and a pull request."""
    name = "x\n::add-mask::x\x1b[2J\u202e|`<img src=x>"
    (built / name).write_text("mine")
    content = json.loads((built / ".checkoutgen/manifest.json").read_text())
    for digest in ("0" * 64, sha256(b"mine").hexdigest()):
        content["files"][name] = {"digest": digest, "executable": False, "owner": "generated", "sources": []}
        (built / ".checkoutgen/manifest.json").write_text(json.dumps(content))
        for form in ("text", "markdown"):
            done = run("plan", "spec.yaml", "shop", "--format", form, cwd=work)
            assert done.stopped == []
            _harmless(done)
            if form == "markdown":
                assert not _live(done.out)


@pytest.mark.parametrize("name", ["::error file=x::", "a\n::add-mask::x", "\x1b[2J", "-rf"])
def test_h48_odd_names_on_the_command_line(run: Run, work: Path, name: str) -> None:
    (work / name).mkdir()
    (work / name / "spec.yaml").write_bytes(written(minimal()))
    for command in (["validate", "--", f"{name}/spec.yaml"], ["why", "--", f"{name}/spec.yaml", "config/shop.json"],
                    ["build", "--", f"{name}/spec.yaml", f"{name}/shop"], ["plan", "--", f"{name}/spec.yaml", f"{name}/shop"],
                    ["build", "--", f"{name}/none.yaml", name], ["lint", "--", f"{name}/spec.yaml"]):  # fmt: skip
        done = run(*command, out=work / name / "shop", cwd=work, XDG_CACHE_HOME=str(work / name / "shop/cache"))
        assert done.code in (0, 1, 2), done.err
        assert done.stopped == []
        _harmless(done)


def _live(markdown: str) -> list[str]:
    """What a Markdown reader with raw HTML switched on would make of it, beyond tables, lists, headings and code."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")
    tokens = [inner for token in reader.parse(markdown) for inner in (token, *(token.children or ()))]
    ours = ("<details><summary>Files</summary>", "</details>")
    return [
        token.content or token.type
        for token in tokens
        if (token.type in ("html_block", "html_inline") and token.content.strip() not in ours)
        or token.type in ("link_open", "image")
    ]


def test_h50_a_plan_in_a_pull_request_is_inert(run: Run, work: Path, built: Path) -> None:
    from tests.hostile.polyglots import POLYGLOTS

    document = minimal()
    for number, text in enumerate(POLYGLOTS.values()):
        document["catalogue"]["products"].append({"id": f"p{number}", "title": text, "price": "1"})
    document["shop"]["name"] = "[x](javascript:1) | <img src=x> ``` `"
    document["shop"]["tagline"] = POLYGLOTS["markdown html"]
    (work / "spec.yaml").write_bytes(written(document))
    done = run("plan", "spec.yaml", "shop", "--format", "markdown", cwd=work)
    assert (done.code, done.stopped) == (0, [])
    _harmless(done)
    assert not _live(done.out)
    assert "onerror" in done.out
    text = run("plan", "spec.yaml", "shop", cwd=work)
    _harmless(text)


def test_h69_a_spec_is_read_once(run: Run, work: Path) -> None:
    """Nobody can show one content to the checks and another to the build."""
    (work / "ours.md").write_text("# Terms\n")
    (work / "spec.yaml").write_bytes(written(change(minimal(), "legal.pages.terms", {"file": "ours.md"})))
    done = run("build", "spec.yaml", "shop", out=work / "shop", cwd=work)
    assert done.code == 0, done.err
    assert [sum(Path(name).name == wanted for name in done.read) for wanted in ("spec.yaml", "ours.md")] == [1, 1]


@pytest.mark.parametrize("kind", ["missing", "no permission"])
def test_h69_a_spec_that_cannot_be_read(run: Run, work: Path, kind: str) -> None:
    wrap: tuple[str, ...] = ()
    if kind == "no permission":
        (work / "spec.yaml").write_bytes(written(minimal()))
        (work / "spec.yaml").chmod(0)
        if os.geteuid() == 0:
            wrap = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    before = listing(work.parent) if kind == "missing" else None
    done = run("build", "spec.yaml", "shop", out=work / "shop", cwd=work, wrap=wrap)
    assert (done.code, done.out, done.stopped) == (2, "", [])
    assert "spec.yaml" in done.err
    assert ("does not exist" if kind == "missing" else "permission denied") in done.err
    assert before is None or listing(work.parent) == before


PLANTED = ("yaml", "json", "jinja2", "minijinja", "merge3", "mjml", "typer", "copier", "jsonschema_rs", "sitecustomize",
           "usercustomize", "checkoutgen", "zoneinfo", "site")  # fmt: skip


def test_h70_what_lies_beside_a_spec_is_not_run(work: Path) -> None:
    import subprocess
    import sys

    (work / "spec.yaml").write_bytes(written(minimal()))
    for name in PLANTED:
        (work / f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit('ran')\n")
    (work / ".env").write_text("CHECKOUTGEN_DEBUG=1\nPYTHONPATH=.\n")
    (work / "pyproject.toml").write_text("[tool.checkoutgen]\nout = '/'\n")
    (work / "copier.yml").write_text("_tasks: ['touch ran']\n")
    script = Path(sys.executable).with_name("checkoutgen")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for command in (["build", "spec.yaml", "shop"], ["plan", "spec.yaml", "shop"], ["lint", "spec.yaml"]):
        done = subprocess.run([script, *command], cwd=work, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        assert not (work / "ran").exists()
    assert "planted" not in (work / "shop/config/shop.json").read_text()


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, {"TZ": ":/etc/passwd"}, {"TZ": "XXX-99:99:99"},
     {"LC_ALL": "tr_TR.UTF-8"}, {"SOURCE_DATE_EPOCH": "-1"}, {"COLUMNS": "1", "TERM": "x", "FORCE_COLOR": "1"}],
    ids=lambda environment: next(iter(environment)),
)  # fmt: skip
def test_h71_h72_surroundings_change_no_byte(run: Run, work: Path, built: Path, environment: dict[str, str]) -> None:
    done = run("build", "spec.yaml", "other", out=work / "other", cwd=work, **environment)
    assert (done.code, done.err, done.stopped) == (0, "", [])
    assert listing(work / "other") == listing(built)


@pytest.mark.parametrize("seconds", [0, 2**31 + 86_400, 253_402_300_799])
def test_h72_the_clock_changes_no_byte(work: Path, built: Path, seconds: int) -> None:
    import subprocess
    import sys

    clock = f"import time, sys\ntime.time = lambda: {seconds}.0\ntime.time_ns = lambda: {seconds}_000_000_000\n"
    clock += (
        "sys.argv = ['checkoutgen', 'build', 'spec.yaml', 'other']\nfrom checkoutgen.__main__ import start\nstart()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", clock], cwd=work, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert listing(work / "other") == listing(built)


def test_h73_a_read_only_place_is_one_message(run: Run, work: Path) -> None:
    (work / "spec.yaml").write_bytes(written(minimal()))
    (work / "locked").mkdir(mode=0o555)
    wrap = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    done = run("build", "spec.yaml", "locked/shop", out=work / "locked/shop", cwd=work, wrap=wrap)
    assert (done.code, done.out, done.stopped) == (2, "", [])
    assert "no permission" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("value", ["=HYPERLINK(1)", "+1", "@x", "-x"])
def test_h40_a_formula_in_a_catalogue_is_text(run: Run, work: Path, value: str) -> None:
    document = minimal()
    (work / "products.csv").write_text(f'Handle,Title,Variant Price\na,"{value}",1\n')
    (work / "spec.yaml").write_bytes(written(change(document, "catalogue.files", ["products.csv"])))
    done = run("build", "spec.yaml", "shop", out=work / "shop", cwd=work)
    assert (done.code, done.err, done.stopped) == (0, "", [])
    products = json.loads((work / "shop/content/catalogue.json").read_text())["products"]
    assert value in [product["title"]["en"] for product in products]


# A new process counts the memory of the one that it came from (getrusage(2): ru_maxrss outlives execve), and the tests'
# own is large: so a small one stands between.
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


def test_h75_ten_thousand_products_in_every_language_stay_within_the_memory_limit(work: Path) -> None:
    """Each command with its MiB; where it is more, a limit is named instead."""
    import subprocess
    import sys

    from checkoutgen.spec.resolve import shipped_languages

    document = minimal()
    document["shop"]["languages"] = every = list(shipped_languages())
    for number in range(20):
        products = [
            {
                "id": f"p{number}-{index}",
                "title": {language: f"Title {index} in {language}" for language in every},
                "description": {language: f"What it is, number {index}, in {language}" for language in every},
                "price": "5.90",
            }
            for index in range(500)
        ]
        (work / f"products{number}.json").write_text(json.dumps(products, indent=1))
    document["catalogue"]["files"] = [f"products{number}.json" for number in range(20)]
    (work / "spec.yaml").write_bytes(written(document))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in (
        ["validate", "spec.yaml"],
        ["plan", "spec.yaml", "shop"],
        ["build", "spec.yaml", "shop"],
        ["build", "--check", "spec.yaml", "shop"],
    ):
        run = [sys.executable, "-c", MEASURED, sys.executable, "-m", "checkoutgen", *command]
        done = subprocess.run(run, cwd=work, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert 10 < float(done.stdout) < 300, command
