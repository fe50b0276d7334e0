"""Where `checkoutgen` and `python -m checkoutgen` start and end."""

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

# A command allocates much and soon ends: the usual threshold of 700 objects would cost it a tenth of its time.
gc.set_threshold(100_000, 20, 100)

# Without typer, whose import takes longer than a lint.
if sys.argv[1:2] == ["lint"]:
    from checkoutgen.lint.arguments import main
elif sys.argv[1:2] in (["plan"], ["build"]):
    from checkoutgen.build.arguments import main
else:
    from checkoutgen.cli import main


def start() -> NoReturn:
    """Runs a command and leaves at once: to take every object apart first would cost a quarter of a short command."""
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # main() has reported it
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    start()
