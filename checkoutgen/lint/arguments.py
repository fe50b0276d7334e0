"""The arguments of `checkoutgen lint`. Read by argparse: to import typer would take longer than the lint itself."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from checkoutgen import console
from checkoutgen.lint.command import Request, lint


def main() -> NoReturn:
    console.run(lambda: run(sys.argv[2:]))


def run(arguments: Sequence[str]) -> int:
    """Lints as told, prints, and gives the exit code."""
    request = Request(**vars(_parser().parse_args(arguments)))
    if Path("-") in request.paths:
        from checkoutgen.spec.reader import MAX_BYTES

        request = request._replace(text=sys.stdin.buffer.read(MAX_BYTES + 1))
    answer = lint(request, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    console.say(answer.notes)
    sys.stdout.writelines(answer.output)
    return answer.code


class _Width(argparse.HelpFormatter):
    """A fixed width: to ask the terminal for its own, argparse imports half of the standard library, help or not."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=120)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="checkoutgen lint",
        description="Judge specs by the law of their markets on a day, and by good practice.",
        epilog="Exit codes: 0 in order, 1 findings, 2 usage or an invalid spec, 3 nothing to check, 70 a rule failed.",
        allow_abbrev=False,
        formatter_class=_Width,
    )
    add = parser.add_argument
    add("paths", metavar="SPEC", type=Path, nargs="+", help="a spec, a folder of specs, or - for standard input")
    add(
        "--format",
        metavar="FORMAT",
        default="",
        help="text, json, sarif, github, gitlab, junit or html; default: text, in GitHub Actions github",
    )
    add(
        "--output",
        metavar="FORMAT:FILE",
        dest="outputs",
        action="append",
        default=[],
        help="also write this format to a file; repeat for more",
    )
    add("--as-of", metavar="DAY", default="", help="judge by the law of this day; default: today")
    add(
        "--market",
        metavar="COUNTRY",
        dest="markets",
        action="append",
        default=[],
        help="only this market; repeat for more",
    )
    add(
        "--select",
        metavar="RULE",
        action="append",
        default=[],
        help="only this rule or group of rules; repeat for more",
    )
    add("--fail-on", metavar="SEVERITY", default="error", help="error, warning, info or never; default: error")
    add(
        "--unverified",
        metavar="SEVERITY",
        default="",
        help="lower errors of rules that rest on knowledge alone to this",
    )
    add("--upcoming", metavar="DAYS", type=int, help="also say what will break within so many days")
    add("--baseline", metavar="FILE", type=Path, help="keep apart what this file lists")
    add("--write-baseline", metavar="FILE", type=Path, help="list what is found now, and exit 0")
    add("--fix", action="store_true", help="mend what is safe to mend; never a legal text")
    add("--no-ignores", dest="ignores", action="store_false", help="for reviewers: ignore comments count for nothing")
    add("--no-cache", dest="cache", action="store_false", help="look at every spec of a fleet again")
    add("--exit-zero", action="store_true", help="exit 0 whatever is found")
    return parser
