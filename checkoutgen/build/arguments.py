"""The commands `plan` and `build`. argparse reads their arguments: to import typer takes as long as half a build."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from checkoutgen import console
from checkoutgen.errors import printable

CONFLICT, PENDING = 5, 4


def main() -> NoReturn:
    console.run(lambda: run(sys.argv[1], sys.argv[2:]))


def run(command: str, arguments: Sequence[str]) -> int:
    """Plans or builds as told, prints, and gives the exit code."""
    return {"plan": _plan, "build": _build}[command](_parser(command).parse_args(arguments))


def _plan(given: argparse.Namespace) -> int:
    from checkoutgen.build import report
    from checkoutgen.build.changes import summary
    from checkoutgen.build.plan import plan

    wanted = console.read_spec(given.spec)
    if given.sheet:
        from checkoutgen.build import signoff

        print("\n".join(signoff.sheet(wanted)))
        return 0
    planned = plan(wanted, given.out, given.restore)
    if given.format == "json":
        print(report.as_json(planned))
    elif given.format == "markdown":
        print(report.markdown(planned))
    else:
        outcome = f"{printable(str(given.out))}: {summary(planned.changes, planned.pending)}"
        print("\n".join([*report.text(planned), outcome]))
    return CONFLICT if planned.conflicts else 0


def _build(given: argparse.Namespace) -> int:
    from checkoutgen.build.changes import lines, summary

    shown = printable(str(given.out))
    if given.check and not given.restore and not given.require_signoff:
        from checkoutgen.build.fresh import untouched

        if (yours := untouched(given.spec, given.out)) is not None:
            print("\n".join([*lines(yours), f"{shown}: {summary(yours, pending=False)}"]))
            return 0
    from checkoutgen.build.environment import notes
    from checkoutgen.build.plan import plan

    wanted = console.read_spec(given.spec)
    if given.require_signoff:
        from checkoutgen.build import signoff

        signoff.require(wanted)
    if given.check:
        planned = plan(wanted, given.out, given.restore)
    else:
        from checkoutgen.build.write import build

        planned = build(wanted, given.out, given.restore)
    listed = lines(planned.changes) if planned.last is not None or given.check else []
    outcome = f"{shown}: {summary(planned.changes, planned.pending)}"
    print("\n".join([*listed, outcome, *notes(wanted.data)]))
    if planned.conflicts:
        return CONFLICT
    return PENDING if given.check and planned.pending else 0


def _parser(command: str) -> argparse.ArgumentParser:
    plans = command == "plan"
    parser = argparse.ArgumentParser(
        prog=f"checkoutgen {command}",
        description="Show what a build would change, in words and file by file; nothing is written."
        if plans
        else "Build the shop, all of it or nothing. Your edits are merged; conflicts are marked in the files.",
        epilog="Exit codes: 0 done, 2 usage or an invalid spec, 5 a conflict"
        + ("." if plans else "; 1 nobody signed (--require-signoff), 4 something would change (--check)."),
        allow_abbrev=False,
        # To ask the terminal for its width, argparse would import half of the standard library, help or not.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=30, width=120),
    )
    add = parser.add_argument
    add("spec", metavar="SPEC", type=Path, help="the spec, or - for standard input")
    add("out", metavar="OUT", type=Path, help="the folder of the shop")
    add(
        "--restore",
        metavar="PATH",
        action="append",
        default=[],
        help="write this file as the build makes it, whatever you did to it; repeat for more",
    )
    if plans:
        add("--format", choices=("text", "json", "markdown"), default="text", help="how to say it; default: text")
        add("--sheet", action="store_true", help="print what the shop promises, to be signed")
    else:
        add("--check", action="store_true", help="write nothing; exit 4 when a build would change anything")
        add("--require-signoff", action="store_true", help="stop unless somebody signed what the shop promises")
    return parser
