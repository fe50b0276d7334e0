"""A promised range of delivery days that is too wide to plan with."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome

WIDEST = 6


def check(case: Case) -> Iterator[Outcome]:
    for pattern in ("delivery.methods[*]", "delivery.methods[*].rates[*]"):
        for path, method in case.each(pattern):
            days = method.get("days") or []
            if len(days) == 2 and days[1] - days[0] > WIDEST:
                yield Outcome(
                    False,
                    f"{path}.days",
                    f"Between {days[0]} and {days[1]} working days is a range nobody can plan with",
                )
