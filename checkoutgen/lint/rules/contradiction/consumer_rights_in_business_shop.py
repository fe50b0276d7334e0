"""What only consumers have, promised by a shop that sells to businesses only."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    if case.data.get("audience") != "b2b":
        return
    if case.get("legal.pages.withdrawal-form"):
        yield Outcome(False, "legal.pages.withdrawal-form", "A withdrawal form in a shop for businesses only")
    if case.get("legal.pages.withdrawal") and not case.facts.get("eu"):
        yield Outcome(False, "legal.pages.withdrawal", "A consumer's right of withdrawal in a shop for businesses only")
    if case.given("legal.guarantee_notice") and case.get("legal.guarantee_notice") == "harmonised":
        yield Outcome(
            False, "legal.guarantee_notice", "The notice on the consumer's guarantee in a shop for businesses only"
        )
    if case.given("mails.send") and "withdrawal-received" in case.derived["mails"]:
        yield Outcome(False, "mails.send", "The mail `withdrawal-received` in a shop for businesses only")
    for path, product in case.each("catalogue.products[*]"):
        if product.get("withdrawal_exception"):
            yield Outcome(
                False,
                f"{path}.withdrawal_exception",
                "An exception to a right of withdrawal that businesses do not have",
            )
