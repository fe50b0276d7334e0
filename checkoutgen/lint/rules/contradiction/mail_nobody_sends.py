"""Mails that the chosen methods need and `mails.send` leaves out; those of the law have rules of their own."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def _needed(case: Case) -> Iterator[tuple[str, str]]:
    methods = [method for _, method in case.each("payment.methods[*]")]
    kinds = {method["kind"] for method in methods}
    if kinds & {"bank-transfer", "cheque", "sepa-debit"}:
        yield "payment-pending", "orders wait for a transfer, cheque or debit"
        yield "payment-received", "such a payment arrives days later"
    if any(method.get("provider") for method in methods):
        yield "payment-failed", "an online payment can fail"
    if any(method["kind"] != "digital" for _, method in case.each("delivery.methods[*]")):
        yield "shipped", "goods are sent"
    if any(method["kind"] == "click-and-collect" for _, method in case.each("delivery.methods[*]")):
        yield "ready-for-pickup", "orders can be collected"
    yield "cancelled", "an order can be cancelled"
    yield "refunded", "an order can be refunded"
    if (case.get("checkout.identification.account") or "none") != "none":
        yield "account-created", "buyers can open an account"
        yield "verify-email", "buyers can open an account"
    if case.get("checkout.identification.sign_in"):
        yield "password-reset", "buyers can sign in"
    yield "new-order", "the seller has to learn of an order"


def check(case: Case) -> Iterator[Outcome]:
    for mail, why in _needed(case):
        if mail not in case.derived["mails"]:
            yield Outcome(False, "mails.send", f"Nobody sends `{mail}`, though {why}", fix={"append": mail})
        else:
            yield Outcome(True, "mails.send", f"mail `{mail}`")
