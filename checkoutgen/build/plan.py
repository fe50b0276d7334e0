"""What a build would do to each file, decided before anything is written.

Three states of every path are compared: pristine (the last build), what stands on disk, and what the spec renders now.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checkoutgen import __version__
from checkoutgen.build import fresh, merge, overrides
from checkoutgen.build import manifest as manifests
from checkoutgen.build import tree as trees
from checkoutgen.build.changes import DELETED, EDITED, Action, Change
from checkoutgen.build.manifest import BASE, MANIFEST, ZIPPED_BASE, Base, Entry, Manifest, digest
from checkoutgen.build.render import File, render
from checkoutgen.build.select import read
from checkoutgen.errors import UsageError, quoted

if TYPE_CHECKING:
    from checkoutgen.spec import Spec


class Plan(NamedTuple):
    out: Path
    tree: trees.Tree
    changes: tuple[Change, ...]
    writes: dict[str, File]  # by path: everything to write, the manifest and its base included
    deletes: frozenset[str]
    rendered: dict[str, File]
    last: Base | None

    @property
    def pending(self) -> bool:
        """Would a build change anything? Its own record of what it read (a new comment in the spec) does not count."""
        return bool(self.writes.keys() - {MANIFEST} or self.deletes)

    @property
    def conflicts(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes if change.action == "conflict")


def plan(spec: Spec, out: Path, restore: Collection[str] = ()) -> Plan:
    """Compares what `spec` renders with `out`. Paths in `restore` are written as rendered, whatever stands there."""
    trees.refuse(out, spec.root)
    made_by = fresh.tool()  # first: nothing is rendered from a damaged installation
    new = render(spec)
    now = manifests.of(new, fresh.inputs(spec), made_by)
    if not (out / MANIFEST).is_file():
        return _first(out, new, now)
    old = manifests.load((out / MANIFEST).read_bytes())
    _refuse_newer(old.tool)
    _known(restore, new)
    ours = {*old.files, *new, MANIFEST, BASE}
    tree = trees.scan(out, ours)
    trees.refuse_open_database(tree, ours)
    return _Planner(out, tree, old, now, new, frozenset(restore)).plan()


def _first(out: Path, new: dict[str, File], now: Manifest) -> Plan:
    changes = tuple(Change(path, "create") for path in new)
    writes = {**new, MANIFEST: File(now.dump()), BASE: File(manifests.archive(new))}
    return Plan(out, trees.NONE, changes, writes, frozenset(), new, None)


def _refuse_newer(made_with: str) -> None:
    """Building with an older version would take back what a newer one made."""
    if manifests.release(made_with) > manifests.release(__version__):
        raise UsageError(f"the shop was built by checkoutgen {made_with}, this is {__version__}: update it first")


def _known(restore: Collection[str], new: dict[str, File]) -> None:
    for path in restore:
        if path not in new:
            raise UsageError(f"--restore {quoted(path)}: this spec makes no such file")


class ConflictError(UsageError):
    """Conflict markers of an earlier build are still in a file."""

    exit_code = 5


class _Planner:
    """One walk over all paths; each lands in at most one of `writes` and `deletes`."""

    def __init__(
        self,
        out: Path,
        tree: trees.Tree,
        old: Manifest,
        now: Manifest,
        new: dict[str, File],
        restore: frozenset[str],
    ) -> None:
        self.out, self.tree, self.old, self.now, self.new, self.restore = out, tree, old, now, new, restore
        base = next((path for path in (BASE, ZIPPED_BASE) if path in tree.files), None)
        self.base = Base((out / base).read_bytes() if base else b"")
        self.changes: list[Change] = []
        self.writes: dict[str, File] = {}
        self.deletes: set[str] = set()

    def plan(self) -> Plan:
        followed = self._follow()
        for path in sorted({*self.old.files, *self.new} - followed):
            self._path(path)
        found = overrides.overrides(self.out, self.old)
        self.changes += overrides.outdated(found, self.now)
        self._record(self.now._replace(overrides=found))
        changes = tuple(sorted(self.changes, key=lambda change: change.path))
        return Plan(self.out, self.tree, changes, self.writes, frozenset(self.deletes), self.new, self.base)

    def _path(self, path: str) -> None:
        self._refuse_in_the_way(path)
        old, new = self.old.files.get(path), self.new.get(path)
        there = path in self.tree.files
        if new is None:
            if there and old is not None:
                self._left(path, old)
        elif path in self.restore:
            self._write(path, "update" if there else "create", new, "restored")
        elif new.owner == "seeded":
            if old is None and not there:
                self._write(path, "create", new, "yours from now on")
        elif old is None:
            self._appeared(path, new, there)
        elif not there:
            self._keep(path, DELETED)
        else:
            self._both(path, old, new)

    def _left(self, path: str, old: Entry) -> None:
        """The spec no longer makes this file."""
        if old.owner == "seeded":
            return
        if self._is_as_built(path):
            self.deletes.add(path)
            self.changes.append(Change(path, "delete"))
        else:
            self._keep(path, "no longer made by the spec, but edited by you")

    def _appeared(self, path: str, new: File, there: bool) -> None:
        if not there:
            self._write(path, "create", new)
        elif self._read(path) != new.content:
            self._merge(path, b"", self._edited(path), new)

    def _both(self, path: str, old: Entry, new: File) -> None:
        executable = self._is_executable(path)
        if executable != old.executable:  # your choice stays
            new = new._replace(executable=executable)
        there = self._read(path)
        if there == new.content:
            if executable != new.executable:
                self._write(path, "update", new)
        elif digest(there) == old.digest:
            self._write(path, "update", new)
        elif digest(new.content) == old.digest:
            self._edited(path)
            self._keep(path, EDITED)
        else:
            self._merge(path, self.base.texts.get(path), self._edited(path), new)

    def _merge(self, path: str, base: bytes | None, yours: bytes, new: File, note: str = "") -> None:
        if base is None or not manifests.is_text(yours) or not manifests.is_text(new.content):
            note = f"binary: yours stays; --restore {path} takes the build's"
            self.changes.append(Change(path, "conflict", note))
            return
        content, conflict = merge.merge(path, base, yours, new.content)
        file = new._replace(content=content)
        if conflict:
            self._write(path, "conflict", file, "both sides between markers")
        else:
            self._write(path, "merge", file, note)

    def _follow(self) -> set[str]:
        """Takes your edit or deletion of a file to the path where a newer template has it; returns both paths."""
        left = [path for path, old in self.old.files.items() if path not in self.new and old.owner == "generated"]
        touched = [path for path in left if not self._is_as_built(path)]
        if not touched:
            return set()
        texts = {path: self.base.texts[path] for path in left if path in self.base.texts}
        came = {
            path: file.content for path, file in self.new.items() if path not in {*self.old.files, *self.tree.files}
        }
        moves = merge.moves(texts, came)
        followed: set[str] = set()
        for path in sorted({*touched} & moves.keys()):
            target = moves[path]
            if target in self.restore:
                continue
            self._refuse_in_the_way(target)
            followed |= {path, target}
            if path in self.tree.files:
                self.deletes.add(path)
                self._merge(target, texts[path], self._edited(path), self.new[target], f"with your changes to {path}")
            else:
                self._keep(target, f"deleted by you as {path}")
        return followed

    def _record(self, now: Manifest) -> None:
        """The manifest when anything in it differs; the texts only when one of them does."""
        if ZIPPED_BASE in self.tree.files:
            self.deletes.add(ZIPPED_BASE)
        if BASE not in self.tree.files or self.now.files != self.old.files:
            self.writes[BASE] = File(manifests.archive(self.new))
            if not self.deletes and self.writes.keys() == {BASE}:
                self.changes.append(Change(BASE, "update", "the build's own record"))
        if now != self.old:
            self.writes[MANIFEST] = File(now.dump())

    def _write(self, path: str, action: Action, file: File, note: str = "") -> None:
        self.writes[path] = file
        self.changes.append(Change(path, action, note))

    def _keep(self, path: str, note: str) -> None:
        self.changes.append(Change(path, "keep", note))

    def _read(self, path: str) -> bytes:
        return read(f"{self.out}/{path}")

    def _edited(self, path: str) -> bytes:
        """A file that differs from every build's: it must not hold the conflict markers of an earlier one."""
        yours = self._read(path)
        if merge.has_markers(yours):
            raise ConflictError(
                f"{quoted(path)} still has the conflict markers of an earlier build: choose between the sides "
                f"and remove the markers, or take the build's version with --restore {path}"
            )
        return yours

    def _is_as_built(self, path: str) -> bool:
        return path in self.tree.files and digest(self._read(path)) == self.old.files[path].digest

    def _is_executable(self, path: str) -> bool:
        return bool(self.tree.files[path][3] & 0o100)

    def _refuse_in_the_way(self, path: str) -> None:
        if path in self.tree.special:
            raise UsageError(
                f"{quoted(path)} is not a regular file; a build does not write through it: remove it first"
            )
        if path in self.tree.folders:
            raise UsageError(f"{quoted(path)} is a folder where the shop has a file: rename it first")
        above = path
        while above := above.rpartition("/")[0]:
            if above in self.tree.files:
                raise UsageError(f"{quoted(above)} is a file where the shop has a folder: rename it first")
