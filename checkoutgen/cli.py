"""The command line: reads arguments, calls one function, prints, exits. Heavy imports stay inside the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.exceptions

from checkoutgen import console
from checkoutgen.console import read_spec, report
from checkoutgen.errors import CheckoutgenError, printable

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="One YAML file in, a real shop out.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

# For commands that read their own arguments, without typer when they are the first word (`__main__`).
UNREAD: dict[str, Any] = {
    "add_help_option": False,
    "context_settings": {
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
}
SpecPath = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, or - for standard input.")]
SpecPaths = Annotated[list[Path], typer.Argument(metavar="SPEC...", help="One or more specs, or - for standard input.")]


def main() -> NoReturn:
    """Runs a command."""
    console.run(_command)


def _command() -> object:
    try:
        return app(standalone_mode=False)
    except typer.exceptions.TyperException as error:  # wrong usage; it says so itself
        error.show()  # type: ignore[attr-defined]
        return error.exit_code


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
            print(f"{printable(spec.file)}: valid; {products} products, {markets} markets")
    return code


@app.command(**UNREAD)
def lint(context: typer.Context) -> int:
    """Judge specs by the law of their markets on a day, and by good practice; see lint --help."""
    from checkoutgen.lint.arguments import run

    return run(context.args)


@app.command()
def explain(rule: Annotated[str, typer.Argument(metavar="RULE", help="The name of a rule.")]) -> None:
    """Print what a rule asks, why, by which law and since when, and how it is judged."""
    from checkoutgen.lint.command import explain as page

    print(page(rule), end="")


@app.command()
def rules(
    market: Annotated[
        list[str] | None, typer.Option(metavar="COUNTRY", help="Only what applies there; repeat for more.")
    ] = None,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="text or json.")] = "text",
) -> None:
    """List the rules."""
    from checkoutgen.lint.command import rules_table

    print(rules_table(market or [], format))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    import json

    from checkoutgen.schema import load

    print(json.dumps(load(), indent=2, ensure_ascii=False))


OutPath = Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the shop.")]


@app.command(**UNREAD)
def plan(context: typer.Context) -> int:
    """Show what a build would change, in words and file by file; see plan --help."""
    from checkoutgen.build.arguments import run

    return run("plan", context.args)


@app.command(**UNREAD)
def build(context: typer.Context) -> int:
    """Build the shop, all of it or nothing; see build --help."""
    from checkoutgen.build.arguments import run

    return run("build", context.args)


@app.command(name="check-update")
def check_update(spec: SpecPath, out: OutPath) -> int:
    """Say which version built the shop and what this one would change in it; exit 4 when it would change anything."""
    from checkoutgen import __version__
    from checkoutgen.build import manifest, report
    from checkoutgen.build.changes import summary
    from checkoutgen.build.plan import plan

    planned = plan(read_spec(spec), out)
    if planned.last is None:
        print(f"{printable(str(out))}: not built yet")
        return 4
    built = manifest.load((out / manifest.MANIFEST).read_bytes()).tool
    print("\n".join([*report.text(planned), f"{printable(str(out))}: {summary(planned.changes, planned.pending)}"]))
    print(f"built by checkoutgen {built}, this is {__version__}")
    return 4 if planned.pending else 0


@app.command()
def migrate(specs: SpecPaths) -> None:
    """Bring specs, and the files they extend, to this version of the spec language; comments and layout stay."""
    from checkoutgen.spec import VERSION
    from checkoutgen.spec.migrate import migrate

    for path in specs:
        changed = migrate(path)
        for file in changed:
            print(f"{printable(str(file))}: now in version {VERSION}")
        if not changed:
            print(f"{printable(str(path))}: version {VERSION}, the newest; nothing to migrate")


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


@app.command()
def preview(
    spec: SpecPath, out: Annotated[Path, typer.Argument(metavar="OUT", help="A new or an empty folder.")]
) -> None:
    """Write every page and mail in every language and state as files, and what the shop promises, for sign-off."""
    from checkoutgen.build.preview import preview

    print(printable(preview(spec, out)))


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
