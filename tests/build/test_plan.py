"""What a rebuild does to files that were edited, deleted, moved or added since the last build."""

from __future__ import annotations

import os
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from checkoutgen.build import fresh
from checkoutgen.build import plan as plans
from checkoutgen.build.fresh import untouched
from checkoutgen.build.manifest import BASE, MANIFEST, ZIPPED_BASE, Base
from checkoutgen.build.plan import ConflictError, plan
from checkoutgen.build.render import File, render
from checkoutgen.build.select import package
from checkoutgen.errors import CheckoutgenError, UsageError
from checkoutgen.spec import Spec, load
from tests.build.conftest import actions, build, tree

Make = Callable[..., Spec]
Templates = dict[str, File]


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Templates], None]], None]:
    """templates(change): from now on a build renders what `change` makes of the files, as a newer version would."""

    def use(change: Callable[[Templates], None]) -> None:
        def changed(spec: Spec) -> Templates:
            files = render(spec)
            change(files)
            return files

        monkeypatch.setattr(plans, "render", changed)

    return use


def renamed(source):
    source["shop"]["name"] = "Grand Lin"


def prepend(out: Path, path: str, line: str) -> None:
    (out / path).write_text(line + (out / path).read_text())


def test_first_build_creates_everything_and_the_second_changes_nothing(make_spec: Make, out: Path) -> None:
    first = build(make_spec(), out)
    assert set(actions(first).values()) == {"create"}
    assert tree(out).keys() == {*render(make_spec()), MANIFEST, BASE}
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    second = build(make_spec(), out)
    assert not second.pending
    assert second.changes == ()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_new_comment_in_the_spec_is_no_change(make_spec: Make, out: Path) -> None:
    spec = make_spec()
    build(spec, out)
    path = spec.root / "shop.yaml"
    path.write_text(f"# a comment\n{path.read_text()}")
    planned = plan(load(path), out)
    assert not planned.pending
    build(load(path), out)
    assert untouched(path, out) == []


def test_an_unchanged_shop_is_known_without_building(make_spec: Make, out: Path) -> None:
    spec = make_spec()
    path = spec.root / "shop.yaml"
    assert untouched(path, out) is None
    build(spec, out)
    assert untouched(path, out) == []
    (out / "Dockerfile").unlink()
    prepend(out, "config/urls.py", "# mine\n")
    assert untouched(path, out) == list(plan(spec, out).changes)
    prepend(out, "config/urls.py", "<<<<<<< yours\n")
    assert untouched(path, out) is None


@pytest.mark.parametrize("changed", ["shop.yaml", "pictures/drap.svg", "out", "tool"])
def test_any_change_of_what_a_build_reads_is_seen(
    changed: str, make_spec: Make, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec()
    build(spec, out)
    if changed == "tool":
        monkeypatch.setattr(fresh, "tool", lambda: "another")
    elif changed == "out":
        (out / BASE).unlink()
    else:
        (spec.root / changed).write_bytes((spec.root / changed).read_bytes() + b"\n")
    assert untouched(spec.root / "shop.yaml", out) is None


def test_h69_what_changes_while_it_is_built_is_not_called_up_to_date(make_spec: Make, out: Path) -> None:
    spec = make_spec()
    for name in ("shop.yaml", "pictures/drap.svg"):
        path = spec.root / name
        content = path.read_bytes()
        path.write_bytes(content + b"\n")  # after it was read
        build(spec, out)
        assert untouched(spec.root / "shop.yaml", out) is None
        path.write_bytes(content)
        assert untouched(spec.root / "shop.yaml", out) == []


def recorded(folder: Path, files: dict[str, bytes]) -> Path:
    """What a wheel's list says of these files."""
    rows = [
        f"checkoutgen/{path},sha256={urlsafe_b64encode(sha256(content).digest()).decode().rstrip('=')},{len(content)}"
        for path, content in files.items()
    ]
    (folder / "RECORD").write_text(
        "\n".join([*rows, "checkoutgen/__pycache__/x.pyc,,", "checkoutgen-1.0.0.dist-info/RECORD,,"])
    )
    return folder / "RECORD"


@pytest.mark.parametrize("damage", ["none", "changed", "gone", "more"])
def test_h74_a_damaged_installation_builds_nothing(
    damage: str, make_spec: Make, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = dict(package())
    if damage == "changed":
        packed["templates/shop/manage.py"] += b"\n"
    elif damage == "gone":
        packed["templates/shop/once_there.py"] = b""
    elif damage == "more":
        del packed["templates/shop/manage.py"]
    monkeypatch.setattr(fresh, "RECORD", recorded(tmp_path, packed))
    fresh.tool.cache_clear()
    try:
        if damage == "none":
            build(make_spec(), out)
        else:
            with pytest.raises(CheckoutgenError, match=r"damaged \(templates/shop/(manage|once_there)\.py\)"):
                build(make_spec(), out)
            assert not out.exists()
    finally:
        fresh.tool.cache_clear()


def test_an_unedited_file_is_updated(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    planned = build(make_spec(renamed), out)
    assert actions(planned) == {"checkout.yaml": "update", "config/shop.json": "update"}
    assert b"Grand Lin" in (out / "config/shop.json").read_bytes()


def test_an_edit_and_a_change_elsewhere_in_the_file_are_merged(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    prepend(out, "config/urls.py", "# mine\n")
    templates(lambda files: files.update({"config/urls.py": appended(files["config/urls.py"], b"# theirs\n")}))
    planned = build(make_spec(), out)
    assert actions(planned) == {"config/urls.py": "merge"}
    text = (out / "config/urls.py").read_text()
    assert text.startswith("# mine\n")
    assert text.endswith("# theirs\n")


def appended(file: File, line: bytes) -> File:
    return file._replace(content=file.content + line)


def test_edits_of_the_same_line_are_a_conflict_that_names_the_sides(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    path = out / "config/shop.json"
    path.write_text(path.read_text().replace("Petit Lin", "Mon Lin"))
    planned = build(make_spec(renamed), out)
    assert planned.conflicts == ("config/shop.json",)
    text = path.read_text()
    for line in ("<<<<<<< yours", "||||||| last build", "=======", ">>>>>>> this build"):
        assert f"\n{line}\n" in text
    assert "Mon Lin" in text
    assert "Grand Lin" in text
    with pytest.raises(ConflictError, match=r"config/shop\.json.*markers"):
        plan(make_spec(renamed), out)
    assert actions(build(make_spec(renamed), out, restore=["config/shop.json"])) == {"config/shop.json": "update"}
    assert not plan(make_spec(renamed), out).pending


def test_json_that_two_clean_edits_would_break_is_a_conflict(make_spec: Make, out: Path, templates) -> None:
    first = b"[\n1,\n2,\n3,\n4\n]\n"
    templates(lambda files: files.update({"content/x.json": File(first)}))
    build(make_spec(), out)
    (out / "content/x.json").write_bytes(b"[\n1,\n2,\n3\n]\n")
    templates(lambda files: files.update({"content/x.json": File(b"[\n1,\n2,\n3,\n4\n,5]\n")}))
    assert build(make_spec(), out).conflicts == ("content/x.json",)


def test_a_resolved_conflict_is_an_edit(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    path = out / "config/shop.json"
    path.write_text(path.read_text().replace("Petit Lin", "Mon Lin"))
    build(make_spec(renamed), out)
    path.write_text(render(make_spec(renamed))["config/shop.json"].content.decode().replace("Grand Lin", "Mon Lin"))
    planned = plan(make_spec(renamed), out)
    assert actions(planned) == {"config/shop.json": "keep"}
    assert not planned.pending


def test_a_deleted_file_stays_deleted_until_it_is_restored(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    (out / "Dockerfile").unlink()
    for spec in (make_spec(), make_spec(renamed)):
        assert actions(build(spec, out))["Dockerfile"] == "keep"
        assert not (out / "Dockerfile").exists()
    build(make_spec(renamed), out, restore=["Dockerfile"])
    assert (out / "Dockerfile").read_bytes() == render(make_spec())["Dockerfile"].content
    with pytest.raises(UsageError, match="no such file"):
        plan(make_spec(), out, restore=["Dockerfil"])


def test_files_that_leave_the_spec_go_unless_they_were_edited(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    assert (out / "content/legal/terms.fr.md").exists()
    prepend(out, "content/legal/terms.en.md", "Mine\n")
    planned = build(make_spec(lambda source: source["legal"]["pages"].clear()), out)
    assert actions(planned)["content/legal/terms.fr.md"] == "delete"
    assert actions(planned)["content/legal/terms.en.md"] == "keep"
    assert not (out / "content/legal/terms.fr.md").exists()
    assert (out / "content/legal/terms.en.md").read_text().startswith("Mine\n")


def test_an_edit_follows_a_moved_template(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    prepend(out, "config/urls.py", "# mine\n")

    def move(files: Templates) -> None:
        files["config/addresses.py"] = appended(files.pop("config/urls.py"), b"# theirs\n")

    templates(move)
    planned = build(make_spec(), out)
    assert actions(planned) == {"config/addresses.py": "merge"}
    text = (out / "config/addresses.py").read_text()
    assert text.startswith("# mine\n")
    assert text.endswith("# theirs\n")
    assert not (out / "config/urls.py").exists()


def test_a_deletion_follows_a_moved_template(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    (out / "config/urls.py").unlink()
    templates(lambda files: files.update({"config/addresses.py": files.pop("config/urls.py")}))
    assert actions(build(make_spec(), out))["config/addresses.py"] == "keep"
    assert not (out / "config/addresses.py").exists()


def test_your_binary_file_stays_and_the_conflict_is_reported(make_spec: Make, out: Path, templates) -> None:
    templates(lambda files: files.update({"static/x.webp": File(b"\0one")}))
    build(make_spec(), out)
    (out / "static/x.webp").write_bytes(b"\0mine")
    templates(lambda files: files.update({"static/x.webp": File(b"\0two")}))
    assert build(make_spec(), out).conflicts == ("static/x.webp",)
    assert (out / "static/x.webp").read_bytes() == b"\0mine"
    build(make_spec(), out, restore=["static/x.webp"])
    assert (out / "static/x.webp").read_bytes() == b"\0two"


def test_seeded_files_are_written_once(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    seeded = next(path for path, file in render(make_spec()).items() if file.owner == "seeded" and file.content)
    (out / seeded).write_text("mine")
    templates(lambda files: files.update({seeded: files[seeded]._replace(content=b"newer")}))
    build(make_spec(), out)
    assert (out / seeded).read_text() == "mine"
    templates(lambda files: files.pop(seeded) and None)
    build(make_spec(), out)
    assert (out / seeded).read_text() == "mine"


def test_your_own_file_where_a_newer_version_has_one_is_a_conflict(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    (out / "common/extra.py").write_text("mine = 1\n")
    templates(lambda files: files.update({"common/extra.py": File(b"theirs = 1\n")}))
    assert build(make_spec(), out).conflicts == ("common/extra.py",)
    assert "mine = 1" in (out / "common/extra.py").read_text()


def test_your_mode_stays_and_the_template_s_is_followed(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    assert os.access(out / "manage.py", os.X_OK)
    (out / "config/urls.py").chmod(0o755)
    templates(lambda files: files.update({"config/urls.py": appended(files["config/urls.py"], b"# theirs\n")}))
    build(make_spec(), out)
    assert os.access(out / "config/urls.py", os.X_OK)
    assert (out / "config/urls.py").read_text().endswith("# theirs\n")


def test_an_override_is_named_until_it_is_changed_when_what_it_overrides_changed(
    make_spec: Make, out: Path, templates
) -> None:
    spec = make_spec()
    path, mine = spec.root / "shop.yaml", out / "custom/templates/shop.html"
    build(spec, out)
    mine.parent.mkdir()
    mine.write_text("mine")
    assert build(spec, out).changes == ()
    assert untouched(path, out) == []
    templates(lambda files: files.update({"templates/shop.html": appended(files["templates/shop.html"], b"newer\n")}))
    for planned in (build(spec, out), build(spec, out), plan(spec, out)):
        named = {change.path: change for change in planned.changes}["custom/templates/shop.html"]
        assert (named.action, "templates/shop.html, which changed" in named.note) == ("keep", True)
    assert not plan(spec, out).pending
    assert untouched(path, out) == [named]
    assert mine.read_text() == "mine"
    mine.write_text("mine, newer")
    assert untouched(path, out) == []
    assert build(spec, out).changes == ()
    templates(lambda files: files.pop("templates/shop.html") and None)
    assert actions(build(spec, out))["custom/templates/shop.html"] == "keep"


def test_an_override_that_was_there_before_its_first_build_is_compared_with_what_it_stood_in_front_of(
    make_spec: Make, out: Path, templates
) -> None:
    build(make_spec(), out)
    (out / "custom/static").mkdir()
    (out / "custom/static/shop.js").write_text("mine")
    templates(lambda files: files.update({"static/shop.js": appended(files["static/shop.js"], b"// newer\n")}))
    assert actions(build(make_spec(), out))["custom/static/shop.js"] == "keep"
    (out / "custom/static/shop.js").unlink()
    (out / "custom/static/shop.js").symlink_to("/dev/zero")
    assert build(make_spec(), out).changes == ()


def zipped(out: Path, compression: int) -> None:
    """The record of the last build as the first builds left it."""
    with zipfile.ZipFile(out / ZIPPED_BASE, "w", compression) as archive:
        for path, text in Base((out / BASE).read_bytes()).texts.items():
            archive.writestr(path, text)
    (out / BASE).unlink()


def test_a_shop_of_the_first_builds_is_merged_and_its_record_renewed(make_spec: Make, out: Path, templates) -> None:
    build(make_spec(), out)
    zipped(out, zipfile.ZIP_STORED)
    prepend(out, "config/urls.py", "# mine\n")
    templates(lambda files: files.update({"config/urls.py": appended(files["config/urls.py"], b"# theirs\n")}))
    assert actions(build(make_spec(), out)) == {"config/urls.py": "merge"}
    assert (out / BASE).is_file()
    assert not (out / ZIPPED_BASE).exists()


@pytest.mark.parametrize("damage", ["compressed", "cut", "none"])
def test_a_record_that_cannot_be_read_loses_no_edit(make_spec: Make, out: Path, damage: str) -> None:
    build(make_spec(), out)
    if damage == "compressed":
        zipped(out, zipfile.ZIP_DEFLATED)
    elif damage == "cut":
        (out / BASE).write_bytes((out / BASE).read_bytes()[:-9])
    else:
        (out / BASE).unlink()
    path = out / "config/shop.json"
    path.write_text(path.read_text().replace("Petit Lin", "Mon Lin"))
    before = tree(out)
    with pytest.raises(UsageError, match=r"\.checkoutgen/base is missing or damaged: restore it"):
        build(make_spec(renamed), out)
    assert tree(out) == before


def test_a_damaged_or_hostile_manifest_is_refused(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    manifest = (out / MANIFEST).read_text()
    for broken in ("", "{", "[]", '{"files": 3}', "[" * 100_000, manifest.replace('"Dockerfile"', '"../victim"')):
        (out / MANIFEST).write_text(broken)
        with pytest.raises(UsageError, match="damaged"):
            plan(make_spec(), out)
    (out / MANIFEST).write_text('{"format": 2, "what": "nobody knows"}')
    with pytest.raises(UsageError, match="written by a newer checkoutgen"):
        plan(make_spec(), out)
