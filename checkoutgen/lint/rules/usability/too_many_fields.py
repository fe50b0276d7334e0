"""Counts the fields that a guest sees up to the delivery address."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome

ALWAYS = 6  # e-mail, country, name, street, postcode, city
MOST = 8


def check(case: Case) -> Iterator[Outcome]:
    fields = case.get("checkout.fields") or {}
    # Optional company and second address line are folded away for consumers, so only required ones count.
    shown = [name for name in ("company", "address_line2") if fields.get(name) == "required"]
    shown += [name for name in ("phone", "order_note") if fields.get(name) in ("required", "optional")]
    count = ALWAYS + len(shown)
    if count > MOST:
        yield Outcome(False, "checkout.fields", f"A guest sees {count} fields up to the address; {MOST} are enough")
