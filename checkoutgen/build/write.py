"""All of a plan or nothing: the new tree is staged beside the old one, then both change places in one system call.

Beside the output folder `shop` stand, while a build runs, `.shop.checkoutgen` (the staged tree, later the old one) and
`.shop.checkoutgen.lock`. Files that stay are hard links. A foreign folder (`var/` with the live database, `.git/`,
`media/`) cannot be hard-linked and is never copied: the staged tree holds a symbolic link to the place where the folder
will be after the exchange, and then link and folder change places, again in one call. So no file is ever missing,
and a program that has one open keeps it.

A build that was killed leaves the old tree or the new one; the next build finishes or sweeps what it left.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from checkoutgen.build import plan as plans
from checkoutgen.build import tree as trees
from checkoutgen.build.manifest import FOLDER
from checkoutgen.build.plan import Plan
from checkoutgen.build.render import File
from checkoutgen.errors import UsageError, quoted

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

# First into a staged tree, last out of the finished one: a tree beside the output that holds it was never exchanged.
UNFINISHED = f"{FOLDER}/unfinished"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def _beside(out: Path, ending: str = "") -> Path:
    return out.parent / f".{out.name}.checkoutgen{ending}"


def build(spec: Spec, out: Path, restore: Collection[str] = ()) -> Plan:
    """Plans and carries it out, alone; returns what was done. UsageError, and nothing changed, if it cannot."""
    trees.refuse(out, spec.root)  # before the lock: it stands beside what `out` leads to
    with locked(out):
        planned = plans.plan(spec, out, restore)
        apply(planned)
    return planned


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Holds `out` for one build, after finishing what a killed one left. UsageError when another has it."""
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(_beside(out, ".lock"))
    except OSError as error:
        raise _unwritable(out, error) from None
    try:
        _recover(out)
        yield
    finally:
        _beside(out, ".lock").unlink(missing_ok=True)
        os.close(lock)


def _lock(path: Path) -> int:
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise UsageError("another build is writing this folder; wait until it is done") from None
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)  # its holder removed it between our two calls


def apply(plan: Plan) -> None:
    """Carries a plan out; hold `locked` around `plan` and `apply`. UsageError, and nothing changed, if it cannot."""
    if not plan.writes and not plan.deletes:
        return
    out = plan.out.resolve()
    stage = _beside(out)
    _refuse_immovable(plan, out)
    umask = os.umask(0o022)  # files are 644 and folders 755 on every machine
    try:
        _stage(plan, out, stage)
        if plan.tree.files and not trees.is_still(plan.tree, out):
            raise UsageError(
                f"{quoted(str(plan.out))} changed while it was being built; nothing was written: build again"
            )
        if any(plan.tree.files):
            _swap(stage, out)
        else:
            stage.rename(out)  # onto nothing, or an empty folder
    except OSError as error:
        raise _unwritable(plan.out, error) from None
    finally:
        os.umask(umask)
        _sweep(stage)
    _finish(out, stage)


def _refuse_immovable(plan: Plan, out: Path) -> None:
    for path in sorted(plan.tree.folders):
        if os.path.ismount(out / path) or not os.access(out / path, os.W_OK):
            raise UsageError(
                f"{quoted(path)} is a mount point or belongs to somebody else, and a build has to move it; nothing was "
                "changed: unmount it, or run the build as its owner"
            )


def _stage(plan: Plan, out: Path, stage: Path) -> None:
    """Paths are joined as texts: pathlib would take as long as the system does to make the files."""
    made: set[str] = set()
    below = f"{stage}/"

    def folder(path: str) -> None:
        if path not in made:
            if path:
                folder(path.rpartition("/")[0])
            os.mkdir(below + path)  # noqa: PTH102
            made.add(path)

    folder("")
    folder(FOLDER)
    _create(below + UNFINISHED, File(json.dumps(sorted(plan.tree.folders)).encode()))
    for path, file in plan.writes.items():
        folder(path.rpartition("/")[0])
        _create(below + path, file)
    for path in sorted({*plan.tree.files, *plan.tree.special} - plan.writes.keys() - plan.deletes):
        folder(path.rpartition("/")[0])
        _link(f"{out}/{path}", below + path)
    for path in sorted(plan.tree.folders):
        folder(path.rpartition("/")[0])
        up = "../" * (path.count("/") + 1)
        (stage / path).symlink_to(f"{up}{stage.name}/{path}")
    _sync(stage)


def _create(path: str, file: File) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, 0o755 if file.executable else 0o644)
    try:
        rest = memoryview(file.content)
        while rest := rest[os.write(handle, rest) :]:
            pass
    finally:
        os.close(handle)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        from shutil import copy2

        copy2(source, target, follow_symlinks=False)  # a file system without hard links


def _exchanged(one: Path, other: Path) -> bool:
    """Two paths change places in one call; False where the system or the file system cannot do that."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _swap(stage: Path, out: Path) -> None:
    """The new tree and the old one change places; if that takes three calls, `_recover` can go on after each."""
    if not _exchanged(stage, out):
        aside = stage.with_name(f"{stage.name}.aside")
        out.rename(aside)
        stage.rename(out)
        aside.rename(stage)


def _finish(out: Path, stage: Path) -> None:
    """After the swap: each foreign folder and its link change places, then the old tree goes."""
    for path in json.loads((out / UNFINISHED).read_bytes()):
        folder, link = stage / path, out / path
        if folder.is_dir() and not folder.is_symlink() and not (link.exists() and _exchanged(folder, link)):
            link.unlink(missing_ok=True)
            folder.rename(link)
    if stage.exists():
        _sync(out)  # the exchanges above, before the old tree goes
        _discard(stage)
    (out / UNFINISHED).unlink()


def _recover(out: Path) -> None:
    stage = _beside(out)
    waste, aside = (stage.with_name(f"{stage.name}.{ending}") for ending in ("waste", "aside"))
    if waste.exists():
        _remove(waste)
    if aside.exists():  # only where two paths cannot be exchanged at once
        aside.rename(stage if out.exists() else out)
    if (out / UNFINISHED).exists():
        _finish(out, stage)
    elif stage.exists() and not _sweep(stage):
        raise UsageError(
            f"{quoted(str(stage))} holds the shop as it was before an interrupted build, and {quoted(str(out))} is not "
            "the shop that build made: take what you need out of it, then delete it"
        )


def _sweep(stage: Path) -> bool:
    """Removes a staged tree that was never exchanged. An old tree, which may hold foreign folders, is left alone."""
    staged = (stage / UNFINISHED).exists() or not any(files for _, _, files in os.walk(stage))
    if staged and stage.exists():
        _discard(stage)
    return staged


def _discard(stage: Path) -> None:
    """Removes a tree that nobody needs; under a name that says so, for a build that is killed half-way through."""
    waste = stage.with_name(f"{stage.name}.waste")
    stage.rename(waste)
    _remove(waste)


def _remove(tree: Path) -> None:
    from shutil import rmtree  # a first build has nothing to remove, and this takes long to import

    rmtree(tree)


def _sync(folder: Path) -> None:
    """Waits until all below it is on disk: one call for all, where one for each file costs ten times as much."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if syncfs(handle):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(handle)


def _unwritable(out: Path, error: OSError) -> UsageError:
    reason = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "no permission to write beside it",
        errno.EPERM: "no permission to write beside it",
        errno.EROFS: "the file system is read-only",
        errno.EBUSY: "it is a mount point: build into a folder inside it",
    }.get(error.errno or 0, error.strerror or str(error))
    return UsageError(f"cannot build into {quoted(str(out))}: {reason}; nothing was changed")
