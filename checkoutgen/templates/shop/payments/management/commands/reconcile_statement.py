from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.money import to_decimal
from payments.statements import StatementError
from payments.statements.matching import OUTCOMES, Line, reconcile


class Command(BaseCommand):
    help = "Read a bank statement (CAMT.053, or CSV with the columns of the specification) and book what it pays."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        counts: Counter[str] = Counter()
        try:
            with file.open("rb") as statement:
                for line in reconcile(statement, dry_run=dry_run):
                    counts[line.outcome] += 1
                    self.stdout.write(described(line))
        except (OSError, StatementError) as wrong:
            raise CommandError(f"{file.name}: {wrong}") from None
        finally:
            for outcome, count in counts.items():
                self.stdout.write(f"{count:>6}  {OUTCOMES[outcome]}")


def described(line: Line) -> str:
    entry = line.entry
    sum_ = f"{to_decimal(entry.amount, entry.currency)} {entry.currency}" if entry.amount is not None else "?"
    sign = "" if entry.credit else "-"
    number = line.order.number if line.order else ascii(" · ".join(entry.texts)[:60])
    return f"{entry.day or '?'}  {sign}{sum_:>14}  {OUTCOMES[line.outcome]}  {number}"
