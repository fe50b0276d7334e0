"""The command line: reads arguments, calls one function, prints, exits. Heavy imports stay inside the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
import typer.exceptions

from checkoutgen.errors import CheckoutgenError

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="One YAML file in, a real shop out.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

SpecPath = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, or - for standard input.")]
SpecPaths = Annotated[list[Path], typer.Argument(metavar="SPEC...", help="One or more specs, or - for standard input.")]


def main() -> NoReturn:
    """Runs a command. Every error is a message and an exit code; a traceback is never shown."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CheckoutgenError as error:
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output is gone; nothing more to say
        sys.exit(141)
    except typer.exceptions.TyperException as error:  # wrong usage; it says so itself
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("CHECKOUTGEN_DEBUG"):
            raise
        kind = type(error).__name__
        fail(f"internal error ({kind}); set CHECKOUTGEN_DEBUG=1 to see where, and please report it", 70)


def fail(message: str, code: int) -> NoReturn:
    say([message if code == 2 and ": " in message else f"checkoutgen: {message}"])
    sys.exit(code)


def say(lines: Iterable[str]) -> None:
    """To standard error, so that standard output holds only what was asked for."""
    for line in lines:
        print(line, file=sys.stderr)


def read_spec(path: Path) -> Spec:
    """The spec at a path, or from standard input for `-`."""
    from checkoutgen import spec

    if str(path) == "-":
        from checkoutgen.spec.reader import MAX_BYTES

        return spec.load(None, text=sys.stdin.buffer.read(MAX_BYTES + 1))
    return spec.load(path)


@app.command()
def validate(specs: SpecPaths) -> int:
    """Check specs against the schema and follow every reference; nothing is written."""
    code = 0
    for path in specs:
        try:
            spec = read_spec(path)
        except CheckoutgenError as error:
            say(str(error).splitlines())
            code = error.exit_code
        else:
            print(f"{spec.file}: valid, {len(spec.data['catalogue']['products'])} products, {len(spec.data['markets'])} markets")
    return code


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    import json

    from checkoutgen.schema import load

    print(json.dumps(load(), indent=2, ensure_ascii=False))


@app.callback(invoke_without_command=True)
def _start(version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False) -> None:
    if version:
        from checkoutgen import __version__

        print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
