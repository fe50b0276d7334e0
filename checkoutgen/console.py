"""What every command shares: an error is a message and an exit code, and output that nobody reads ends quietly."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from checkoutgen.errors import CheckoutgenError, SpecError, printable

if TYPE_CHECKING:
    from checkoutgen.spec import Spec


def run(command: Callable[[], object]) -> NoReturn:
    """Runs a command that gives its exit code, if any. A traceback is never shown."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = command()
        sys.stdout.flush()  # what cannot be written is an error too
        sys.exit(code if isinstance(code, int) else 0)
    except CheckoutgenError as error:
        report(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output is gone; nothing more to say
        sys.exit(141)
    except OSError as error:
        fail(": ".join(filter(None, (error.filename and printable(str(error.filename)), error.strerror))), 70)
    except Exception as error:
        if os.environ.get("CHECKOUTGEN_DEBUG"):
            raise
        kind = type(error).__name__
        fail(f"internal error ({kind}); set CHECKOUTGEN_DEBUG=1 to see where, and please report it", 70)


def read_spec(path: Path) -> Spec:
    """The spec at a path, or from standard input for `-`."""
    from checkoutgen import spec

    if str(path) == "-":
        from checkoutgen.spec.reader import MAX_BYTES

        return spec.load(None, text=sys.stdin.buffer.read(MAX_BYTES + 1))
    return spec.load(path)


def fail(message: str, code: int) -> NoReturn:
    say([f"checkoutgen: {message}"])
    sys.exit(code)


def report(error: CheckoutgenError) -> None:
    """A spec's problems with their places as they are, anything else under our name."""
    say(error.lines() if isinstance(error, SpecError) else [f"checkoutgen: {error}"])


def say(lines: Iterable[str]) -> None:
    """To standard error, so that standard output holds only what was asked for."""
    for line in lines:
        print(line, file=sys.stderr)
