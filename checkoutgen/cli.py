"""The command line: reads arguments, calls one function, prints, exits. Heavy imports stay inside the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
import typer.exceptions

from checkoutgen.errors import CheckoutgenError, SpecError

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
        report(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output is gone; nothing more to say
        sys.exit(141)
    except typer.exceptions.TyperException as error:  # wrong usage; it says so itself
        error.show()  # type: ignore[attr-defined]
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("CHECKOUTGEN_DEBUG"):
            raise
        kind = type(error).__name__
        fail(f"internal error ({kind}); set CHECKOUTGEN_DEBUG=1 to see where, and please report it", 70)


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


def read_spec(path: Path) -> Spec:
    """The spec at a path, or from standard input for `-`."""
    from checkoutgen import spec

    if str(path) == "-":
        from checkoutgen.spec.reader import MAX_BYTES

        return spec.load(None, text=sys.stdin.buffer.read(MAX_BYTES + 1))
    return spec.load(path)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")] = Path(),
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Answer every question so, for example b2c-fr.")
    ] = None,
) -> None:
    """Start the repository of a shop: a spec that lints clean, a catalogue to fill, legal texts and a CI workflow."""
    from checkoutgen.starter import start

    spec = start(folder, preset)
    print(f"{spec}: edit it, then `checkoutgen serve {spec}` shows the shop")


@app.command()
def validate(specs: SpecPaths) -> int:
    """Check specs against the schema and follow every reference; nothing is written."""
    code = 0
    for path in specs:
        try:
            spec = read_spec(path)
        except CheckoutgenError as error:
            report(error)
            code = error.exit_code
        else:
            products, markets = len(spec.data["catalogue"]["products"]), len(spec.data["markets"])
            print(f"{spec.file}: valid; {products} products, {markets} markets")
    return code


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    import json

    from checkoutgen.schema import load

    print(json.dumps(load(), indent=2, ensure_ascii=False))


OutPath = Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the shop.")]
Restore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH", help="Write this file as the build makes it, whatever you did to it; repeat for more."
    ),
]


@app.command()
def plan(spec: SpecPath, out: OutPath, restore: Restore = None) -> int:
    """Show what a build would do to each file; nothing is written."""
    from checkoutgen.build.plan import plan
    from checkoutgen.build.report import lines, summary

    planned = plan(read_spec(spec), out, restore or ())
    print("\n".join([*lines(planned), f"{out}: {summary(planned)}"]))
    return 5 if planned.conflicts else 0


@app.command()
def build(
    spec: SpecPath,
    out: OutPath,
    restore: Restore = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 4 when a build would change anything.")
    ] = False,
) -> int:
    """Build the shop, all of it or nothing. Your edits are merged; conflicts are marked in the files and exit with 5."""
    from checkoutgen.build.plan import plan
    from checkoutgen.build.report import lines, summary

    wanted = read_spec(spec)
    if check:
        planned = plan(wanted, out, restore or ())
    else:
        from checkoutgen.build.write import apply, locked

        with locked(out):
            planned = plan(wanted, out, restore or ())
            apply(planned)
    shown = lines(planned) if planned.last is not None or check else []
    print("\n".join([*shown, f"{out}: {summary(planned)}"]))
    if planned.conflicts:
        return 5
    return 4 if check and planned.pending else 0


@app.command()
def why(spec: SpecPath, path: Annotated[str, typer.Argument(metavar="PATH", help="A file of the shop.")]) -> None:
    """Show which lines of the spec made a file of the shop."""
    from checkoutgen.build.why import lines

    print("\n".join(lines(read_spec(spec), path)))


@app.command()
def serve(
    spec: SpecPath,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the shop here; default: a temporary folder.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
) -> None:
    """Build the shop, fill its catalogue and run it for development; build again when the spec changes."""
    from checkoutgen.build.serve import serve

    serve(spec, out, port)


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from checkoutgen import __version__

        print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
