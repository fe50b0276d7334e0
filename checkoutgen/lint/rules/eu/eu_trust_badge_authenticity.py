"""Seals and ratings need an issuer and a certificate that is still valid; home-made seals of security prove nothing."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome
from checkoutgen.lint.texts import find, normalise

_HOME_MADE = (
    "pci certified | ssl secure | 100% secure | 100 % secure | 100% sicher | 100 % sicher | 100% sécurisé"
    " | 100 % sécurisé | 100% säker"
)


def check(case: Case) -> Iterator[Outcome]:
    for path, badge in case.each("trust.badges[*]"):
        name = next(iter((badge.get("name") or {}).values()), badge["id"])
        if badge["kind"] in ("seal", "rating"):
            if not badge.get("url"):
                yield Outcome(False, path, f"The badge “{name}” has no certificate to link to")
            elif not badge.get("issuer"):
                yield Outcome(False, path, f"The badge “{name}” does not say who issued it")
            else:
                yield Outcome(True, path, f"issued by {badge['issuer']}")
        until = badge.get("valid_until") or ""
        if until and until < case.day:
            yield Outcome(False, f"{path}.valid_until", f"The badge “{name}” ran out on {until}")
        words = normalise(" ".join([*(badge.get("name") or {}).values(), *(badge.get("text") or {}).values()]))
        if badge["kind"] == "security" and find(words, _HOME_MADE):
            yield Outcome(False, path, f"The badge “{name}” is a home-made seal of security", "warning")
