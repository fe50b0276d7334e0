"""Express delivery arrives before the slowest day of delivery to the door."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    methods = [(path, method, method.get("days") or []) for path, method in case.each("delivery.methods[*]")]
    home = [days[1] for _, method, days in methods if method["kind"] == "home" and len(days) == 2]
    for path, method, days in methods:
        if method["kind"] == "express" and len(days) == 2 and home and days[1] >= min(home):
            yield Outcome(
                False, f"{path}.days", f"“{method['id']}” is called express and is not faster than the usual delivery"
            )
