# ruff: noqa: PTH112, PTH119, PTH120 - the hook runs inside every call that pathlib would make
"""`python audited.py LOG OUT ARGUMENT...`: the command line under an audit hook.

No process, no connection, and nothing changed on disk but OUT and what a build keeps beside it: whatever else is tried
ends the process with 99 and stands in LOG. Every file that was opened stands there too, after `read `.
"""

from __future__ import annotations

import os
import sys

ENDING = 99
# https://docs.python.org/3.11/library/audit_events.html
NEVER = (
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen",
    "socket.__new__", "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request",
    "pickle.find_class", "os.kill", "os.chown", "os.setxattr", "sys.settrace", "sys.setprofile",
)  # fmt: skip
# Which of an event's arguments are paths that it changes.
CHANGES = {
    "os.mkdir": (0,), "os.rmdir": (0,), "os.remove": (0,), "os.rename": (0, 1), "os.link": (1,), "os.symlink": (1,),
    "os.truncate": (0,), "os.chmod": (0,), "os.utime": (0,), "shutil.rmtree": (0,),
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(log: str, out: str) -> None:
    record = os.open(log, os.O_WRONLY | os.O_APPEND)
    top = os.path.realpath(out) if out else ""
    beside = os.path.join(os.path.dirname(top), f".{os.path.basename(top)}.checkoutgen") if out else ""

    def inside(path: str) -> bool:
        # The last part is not followed: what is changed is the link, not what it leads to.
        real = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
        return bool(out) and (real == top or real.startswith((top + os.sep, beside)))

    def stop(event: str, arguments: object) -> None:
        os.write(record, f"{event} {arguments!r}"[:400].encode(errors="backslashreplace") + b"\n")
        os._exit(ENDING)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in NEVER:
            stop(event, arguments)
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path, mode, flags = os.fsdecode(arguments[0]), arguments[1], arguments[2]
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & WRITING)
            if writes and path != os.devnull and not inside(path):
                stop(event, arguments)
            os.write(record, b"read " + os.fsencode(path).replace(b"\n", b" ") + b"\n")
        elif event in CHANGES:
            for index in CHANGES[event]:
                path = arguments[index]
                if event == "os.mkdir" and isinstance(path, str | bytes | os.PathLike) and os.path.isdir(path):
                    continue  # `exist_ok`: nothing is made
                if isinstance(path, str | bytes | os.PathLike) and not inside(os.fsdecode(path)):
                    # rmtree names what it removes by folder handles; the folder itself is checked when it begins
                    if event in ("os.remove", "os.rmdir") and arguments[-1] not in (-1, None):
                        continue
                    stop(event, arguments)

    sys.addaudithook(hook)


if __name__ == "__main__":
    log, out, *arguments = sys.argv[1:]
    sys.argv = ["checkoutgen", *arguments]
    sys.path[0:1] = []  # the folder of this file
    import runpy

    install(log, out)
    runpy.run_module("checkoutgen", run_name="__main__", alter_sys=True)
