"""The documentation of the rules, made from their files: `docs/rules/` and `checkoutgen explain`.

python -m checkoutgen.lint.pages docs/rules        writes the pages
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from checkoutgen.lint import rulebook
from checkoutgen.lint.command import kind_of
from checkoutgen.lint.model import Rule

_NAMES = {
    "eu": "European Union", "fr": "France", "de": "Germany", "at": "Austria", "se": "Sweden", "nl": "Netherlands",
    "es": "Spain", "it": "Italy", "be": "Belgium", "gb": "United Kingdom", "ch": "Switzerland",
    "us": "United States, federal", "us-ca": "United States, California", "global": "Everywhere, also between firms",
    "usability": "Usability", "accessibility": "Accessibility", "security": "Security", "mail": "Mail",
    "privacy": "Data protection", "contradiction": "Contradictions",
}  # fmt: skip
# What a reviewer asks beyond the statutes, and the rules that answer.
_ASKED = {
    "Contradictions": {
        "a wallet that skips a consent": ["wallet-skips-consent"],
        "a consumer's right of withdrawal in a shop for businesses": ["consumer-rights-in-business-shop"],
        "a country of delivery without a language or a tax rate": ["market-language", "market-without-tax-rate"],
        "a country without delivery or payment": ["market-without-delivery", "market-without-payment"],
        "a way to pay that does not fit click and collect": ["payment-without-its-delivery"],
        "instalments without the notices on credit": ["instalments-without-notices"],
        "net prices shown to consumers": ["eu-total-price", "eu-ecommerce-price-clarity"],
        "a badge without evidence, a seal that ran out": ["badge-without-evidence", "eu-trust-badge-authenticity"],
        "stars without a word on verification": ["eu-reviews-verification"],
        "a mail that a state needs and nobody sends": ["mail-nobody-sends"],
        "free delivery on a badge that is not given": ["free-delivery-not-given"],
    },
    "Usability": {
        "a forced account; the guest not first": ["forced-account", "guest-not-first", "account-before-payment"],
        "payment before delivery": ["payment-before-delivery"],
        "too many fields; a name in two; the country not first": ["too-many-fields", "split-name", "country-not-first"],
        "a telephone number without a reason; data nobody needs": ["phone-without-reason", "eu-data-minimisation"],
        "field names that change; digits as numbers": ["changing-field-names", "digits-as-numbers"],
        "delivery without a date, an hour, a narrow range": [
            "delivery-without-days", "delivery-without-cut-off", "wide-delivery-range", "express-not-faster"
        ],
        "extras or consents ticked beforehand": ["eu-no-prechecked-extras", "eu-consent-unticked"],
        "wallets below forms; too many ways to pay": ["wallet-not-first", "too-many-payment-methods"],
        "a button that does not say the duty to pay": ["eu-order-button"],
        "“invalid” without a cause": ["vague-error-message"],
        "withdrawal that cannot be found": ["eu-withdrawal-function", "eu-withdrawal-function-ack"],
        "a cart that expires too soon": ["cart-expires-soon"],
        "business orders without VAT number, order number, net prices": [
            "eu-b2b-vat-id-validation", "b2b-purchase-order", "b2b-price-net-label"
        ],
        "languages missing or mixed": ["market-language", "unused-language", "eu-language-of-info"],
        "nobody to ask": ["no-help"],
    },
    "Accessibility, security, mail, data protection": {
        "a brand colour without contrast; pictures without words": ["brand-contrast", "picture-without-alt"],
        "secrets in clear; addresses without encryption": ["secret-in-clear", "http-address", "global-tls"],
        "card data on the shop's own server": ["global-pci-dss"],
        "scripts and cookies of third parties before a choice": ["third-party-scripts", "eu-cookies-consent"],
        "mails too large, with long subjects, from elsewhere, that nobody answers": [
            "mail-size", "mail-subject-length", "mail-from-foreign-domain", "no-reply-address"
        ],
        "others' links, fonts and pixels in mails": ["mail-third-party"],
        "recipients of data that the privacy notice leaves out": ["processor-not-named"],
    },
}  # fmt: skip
_KINDS = ("declarative", "Python", "by the shop", "not judgeable")


def _file(rule: Rule) -> dict[str, Any]:
    return rulebook.read(rulebook.FOLDER / rule.jurisdiction / f"{rule.id}.yaml")


def page(name: str) -> str:
    """One rule's page in Markdown."""
    rule, read = rulebook.rules()[name], rulebook.prose(name)
    until = f" until {rule.valid_to}" if rule.valid_to else ""
    facts = [
        ("Jurisdiction", _NAMES.get(rule.jurisdiction, rule.jurisdiction)),
        ("Statute", read.statute),
        (
            "In force",
            " ".join(
                filter(None, [f"from {rule.valid_from}{until}." if rule.valid_from or until else "", read.in_force])
            ),
        ),
        ("Audience", {"both": "consumers and businesses", "b2c": "consumers", "b2b": "businesses"}[rule.audience]),
        ("Products", ", ".join(rule.kinds) or "all"),
        ("Severity", rule.severity),
        ("Evidence", rule.evidence),
        ("Refines", f"[{rule.parent}]({rule.parent}.md), whose check it shares" if rule.parent else ""),
        ("Country decided by", "the seller's establishment" if rule.follows == "seller" else ""),
    ]
    lines = [f"# {name}", "", read.title + ".", ""]
    lines += [f"- {label}: {value}" for label, value in facts if value]
    lines += ["", "## Why", "", read.why or "See the statute.", "", "## What to write", "", read.remedy or "Nothing."]
    if read.note:
        lines += ["", "## Exceptions and notes", "", read.note]
    lines += ["", "## How it is judged", "", *_checks(rule), *_example(rule)]
    if read.sources:
        lines += ["", "## Sources", "", *(f"- <{source}>" for source in read.sources)]
    return "\n".join(lines) + "\n"


def _checks(rule: Rule) -> list[str]:
    if not rule.checks:
        return [f"By the check of [{rule.parent}]({rule.parent}.md); findings in this market name this provision."]
    return [f"- {_check(item)}" for item in rule.checks]


def _check(item: dict[str, Any]) -> str:
    days = (f" (from {item['from']})" if "from" in item else "") + (f" (until {item['to']})" if "to" in item else "")
    match item["kind"]:
        case "python":
            return "By a check in Python in the file of the rule's name."
        case "shop":
            return f"The generated shop: {item['shop']}"
        case "unjudged":
            return f"Not judged: {item['unjudged']}"
        case "need":
            wanted = [item["need"]] if isinstance(item["need"], str) else item["need"]
            return f"Must be given: {', '.join(f'`{path}`' for path in wanted)}{days}"
        case "page":
            return f"There is a legal page `{item['page']}` in every language of the market{days}"
        case "mail":
            return f"The mail `{item['mail']}` is sent{days}"
        case "words":
            return (
                f"The words on the button are on the list `{item['words']}` of `locales/<language>/labels.json`{days}"
            )
        case "text" | "texts" | "in_mail" | "in_page" as name:
            where = item[name] if isinstance(item[name], list) else [item[name]]
            told = "say" if "has" in item else "do not say"
            what = {"in_mail": "mails of the shop", "in_page": "pages of the shop"}.get(name, "texts")
            languages = item.get("has") or item.get("hasnt") or {}
            lists = "".join(f"\n    - {language}: {_phrases(said)}" for language, said in languages.items())
            return f"The {what} ({', '.join(where)}) {told}{days}:{lists}"
    each = f" for every element of `{item['each']}`" if "each" in item else ""
    return f"Must hold{each}{days}: `{json.dumps(item['must'], ensure_ascii=False)}`"


def _phrases(said: str | list[str]) -> str:
    return "; and ".join(
        f"“{phrase.replace('*', '…')}”".replace(" | ", "” or “")
        for phrase in ([said] if isinstance(said, str) else said)
    )


def _example(rule: Rule) -> list[str]:
    bad = _file(rule).get("bad")
    if not bad or "texts" in bad:
        return []
    import yaml

    patch = {path: value for key in ("spec", "resolved") for path, value in bad.get(key, {}).items()}
    said = yaml.safe_dump(patch, allow_unicode=True, sort_keys=False).rstrip()
    return [
        "",
        "## Found in",
        "",
        "A spec that is in order but for this (null: taken out):",
        "",
        "```yaml",
        said,
        "```",
    ]


def table() -> str:
    """Rules by jurisdiction and kind of check, in Markdown, with the list of those that cannot be judged."""
    counts: dict[str, Counter[str]] = {}
    for rule in rulebook.rules().values():
        counts.setdefault(rule.jurisdiction, Counter())[kind_of(rule)] += 1
    lines = [
        "| Jurisdiction | Rules | "
        + " | ".join(word.capitalize() if word != "Python" else word for word in _KINDS)
        + " |"
    ]
    lines.append("|---|" + "--:|" * (len(_KINDS) + 1))
    for code in [code for code in _NAMES if code in counts]:
        row = counts[code]
        lines.append(f"| {_NAMES[code]} | {row.total()} | " + " | ".join(str(row[word]) for word in _KINDS) + " |")
    total: Counter[str] = sum(counts.values(), Counter())
    lines.append(f"| **Total** | {total.total()} | " + " | ".join(str(total[word]) for word in _KINDS) + " |")
    return "\n".join(lines)


def unjudged() -> list[tuple[str, str]]:
    """(rule, reason) of everything that no spec can be judged by."""
    found = []
    for rule in rulebook.rules().values():
        if kind_of(rule) == "not judgeable":
            source = rule if rule.checks else rulebook.rules()[rule.parent]
            reasons = [item["unjudged"] for item in source.checks if "unjudged" in item]
            found.append((rule.id, " ".join(reasons) or f"As {source.id}."))
    return found


def partly() -> list[tuple[str, str]]:
    """(rule, reason) of what a rule with other checks leaves to a person."""
    return [
        (rule.id, item["unjudged"])
        for rule in rulebook.rules().values()
        if kind_of(rule) != "not judgeable"
        for item in rule.checks
        if "unjudged" in item
    ]


def index() -> str:
    """The list of all rules, in Markdown."""
    lines = [
        "# Rules",
        "",
        "Made from the rule files by `python -m checkoutgen.lint.pages docs/rules`. A technical catalogue, not legal",
        "advice: the evidence level on each page says how well it is founded.",
        "",
        "*Declarative*: judged by what its file says. *Python*: judged by a function beside the file. *By the shop*:",
        "the generated shop always does it, whatever the spec says. *Not judgeable*: nothing in the spec can show it;",
        "the reasons stand below.",
        "",
        table(),
    ]
    for code, name in _NAMES.items():
        found = [rule for rule in rulebook.rules().values() if rule.jurisdiction == code]
        if found:
            lines += ["", f"## {name}", "", "| Rule | Severity | Judged | Says |", "|---|---|---|---|"]
            lines += [_row(rule) for rule in found]
    lines += ["", "## What good practice asks, and who answers", *asked()]
    lines += ["", "## Not judgeable, and why", "", "| Rule | Reason |", "|---|---|"]
    lines += [f"| [{name}]({name}.md) | {_cell(reason)} |" for name, reason in unjudged()]
    lines += ["", "## Judged in part", "", "| Rule | Not judged |", "|---|---|"]
    lines += [f"| [{name}]({name}.md) | {_cell(reason)} |" for name, reason in partly()]
    return "\n".join(lines) + "\n"


def asked() -> list[str]:
    """A table for each group of `_ASKED`: each rule with how it is judged; all that are judged have a bad example."""
    lines = []
    for group, questions in _ASKED.items():
        lines += ["", f"### {group}", "", "| Found is | By |", "|---|---|"]
        for question, names in questions.items():
            told = [f"[{name}]({name}.md) ({kind_of(rulebook.rules()[name])})" for name in names]
            lines.append(f"| {question} | {', '.join(told)} |")
    return lines


def _row(rule: Rule) -> str:
    title = _cell(rulebook.prose(rule.id).title)
    return f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {kind_of(rule)} | {title} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def pages() -> dict[str, str]:
    """Every file of `docs/rules/` by name."""
    return {"README.md": index()} | {f"{name}.md": page(name) for name in rulebook.rules()}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
