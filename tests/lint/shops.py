"""Shops for the lint's tests: one good shop for any country, patched one thing at a time."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from checkoutgen.lint import texts as phrases
from checkoutgen.lint.command import Answer
from checkoutgen.lint.engine import Options, judge
from checkoutgen.lint.model import Finding
from checkoutgen.spec import Place, Spec, load

HERE = Path(__file__).parent
MARKETS = HERE.parents[1] / "checkoutgen" / "markets"
TODAY = "2026-11-22"
PAGES = (
    "terms",
    "privacy",
    "imprint",
    "withdrawal",
    "withdrawal-form",
    "delivery",
    "returns",
    "payment",
    "accessibility",
    "guarantee",
)

SELLERS: dict[str, dict[str, Any]] = {
    "FR": {
        "vat_id": "FR31904217387",
        "register": {"name": "RCS", "number": "904 217 387", "city": "Lille"},
        "legal_form": "SAS",
    },
    "DE": {
        "vat_id": "DE136695976",
        "register": {"name": "Handelsregister", "number": "HRB 1234", "court": "Amtsgericht Kiel"},
        "legal_form": "GmbH",
    },
    "AT": {
        "vat_id": "ATU13585627",
        "register": {"name": "Firmenbuch", "number": "FN 123456a", "court": "Wien"},
        "chamber": "WKO Wien",
        "legal_form": "GmbH",
    },
    "SE": {
        "vat_id": "SE556188840401",
        "register": {"name": "Bolagsverket", "number": "556188-8404"},
        "legal_form": "AB",
    },
    "NL": {"vat_id": "NL004495445B01", "register": {"name": "KvK", "number": "12345678"}, "legal_form": "BV"},
    "ES": {
        "vat_id": "ESB58378431",
        "register": {"name": "Registro Mercantil", "number": "T 1 F 2", "share_register": "H 3"},
        "legal_form": "SL",
    },
    "IT": {"vat_id": "IT00743110157", "register": {"name": "REA", "number": "MI-1234567"}, "legal_form": "S.r.l."},
    "BE": {"vat_id": "BE0428759497", "register": {"name": "BCE", "number": "0428.759.497"}, "legal_form": "SRL"},
    "GB": {
        "vat_id": "GB980780684",
        "register": {"name": "Companies House", "number": "01234567", "city": "Cardiff"},
        "legal_form": "Ltd",
        "registered_office": "London",
    },
    "CH": {
        "vat_id": "CHE100155212MWST",
        "register": {"name": "Handelsregister", "number": "CHE-100.155.212"},
        "legal_form": "GmbH",
    },
    "US": {"tax_number": "12-3456789", "register": {"name": "Delaware", "number": "1234567"}, "legal_form": "LLC"},
}
EPR = {"FR": "FR123456_01ABCD", "DE": "DE4170928365517"}
PHONES = {
    "FR": "+33 3 53 01 24 18", "DE": "+49 30 901820", "AT": "+43 1 514390", "SE": "+46 8 508 29 000",
    "NL": "+31 20 624 1111", "ES": "+34 915 29 82 10", "IT": "+39 02 8846 4747", "BE": "+32 2 279 22 11",
    "GB": "+44 20 7946 0958", "CH": "+41 44 412 11 11", "US": "+1 212 639 9675",
}  # fmt: skip


def shop(market: str) -> dict[str, Any]:
    """A spec, as written, of a shop established in and selling to one country, in order in every respect."""
    languages = {"BE": ["nl", "fr"]}.get(market) or json.loads((MARKETS / f"{market}.json").read_bytes())["languages"][
        :1
    ]
    later = [{"id": "cod", "kind": "cash-on-delivery"}] if market == "NL" else []
    return {
        "version": 1,
        "shop": {"name": "Linen Shop", "url": "https://linen.example", "languages": languages},
        "seller": {
            "legal_name": "Linen Shop Trading",
            "trade_name": "Linen Shop",
            "country": market,
            "address": {"street": "High Street 1", "postcode": "10115", "city": "Town", "country": market},
            "email": "hello@linen.example",
            "phone": PHONES[market],
            "share_capital": "10000.00",
            "representatives": ["Ann Lee"],
            "publication_director": "Ann Lee",
            "host": {"name": "Hoster", "address": "Street 2, Town", "phone": PHONES[market]},
            "employees": 14,
            "turnover_eur": 900000,
            "adr": {"entity": "Body", "address": "Street 3, Town", "url": "https://body.example", "participates": True},
            "epr": [{"country": market, "scheme": "packaging", "id": EPR.get(market, "12345")}],
            "oss_id": "EU123",
            "einvoice": {"platform": "Platform", "peppol_id": "0208:0428759497"},
            **copy.deepcopy(SELLERS[market]),
        },
        "audience": "b2c",
        "markets": {market: {"languages": languages}},
        "catalogue": {
            "products": [
                {
                    "id": "sheet",
                    "title": "Sheet",
                    "description": "A linen sheet.",
                    "price": "49.00",
                    "safety": {"manufacturer": "Mill", "address": "Mill Road 1, Town", "email": "mill@mill.example"},
                    "pictures": [{"file": "sheet.svg", "alt": "A folded sheet"}],
                }
            ]
        },
        "checkout": {"fields": {"phone": "none", "company": "optional"}},
        "delivery": {
            "cut_off": "14:00",
            "methods": [{"id": "home", "kind": "home", "days": [2, 3], "price": "5.90", "free_from": "90.00"}],
        },
        "payment": {
            "methods": [
                {"id": "card", "kind": "card", "provider": "demo", "mode": "hosted"},
                {"id": "cheque", "kind": "cheque", "payable_to": "Linen Shop Trading", "days_to_pay": 7},
                *later,
            ],
            "providers": {"demo": {"webhook_secret": "env:DEMO_WEBHOOK_SECRET"}},
        },
        "trust": {"badges": []},
        "legal": {"version": "2026-11-01", "pages": {page: {"file": f"legal/{{lang}}/{page}.md"} for page in PAGES}},
        "support": {"phone": PHONES[market], "email": "hello@linen.example"},
    }


def legal_texts(language: str) -> dict[str, str]:
    """The good shop's legal pages in a language, with the seller's placeholders; other languages borrow the English."""
    path = HERE / "texts" / f"{language}.md"
    parts = re.split(
        r"^# (.+)$", (path if path.exists() else HERE / "texts" / "en.md").read_text(encoding="utf-8"), flags=re.M
    )
    return {name: body.strip() + "\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


class _Plain(yaml.SafeDumper):
    """Writes no anchors: the tool refuses them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass
class Shop:
    """A spec and its texts, ready to be written and linted."""

    market: str
    spec: dict[str, Any]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)  # language -> page -> Markdown
    day: str = TODAY
    resolved: dict[str, Any] = field(default_factory=dict)  # patches that no valid spec can carry

    @property
    def language(self) -> str:
        return str(self.spec["shop"]["languages"][0])

    def patch(self, changes: dict[str, Any]) -> None:
        """Dotted path -> value; None takes it out. `+text.page` appends to a legal text, by language."""
        for path, value in changes.items():
            if path == "market":
                continue
            if path == "as_of":
                self.day = value
            elif path.startswith("+text."):
                for language, line in value.items():
                    if language in self.texts:
                        page = path.removeprefix("+text.")
                        self.texts[language][page] = (
                            self.texts[language].get(page, "") + line.replace("LONG", "Long. " * 13_000) + "\n"
                        )
            else:
                put(self.spec, self._filled(path), self._filled(value))
        for language in self.spec["shop"]["languages"]:
            self.texts.setdefault(language, legal_texts(language))

    def _filled(self, value: Any) -> Any:
        facts = json.loads((MARKETS / f"{self.market}.json").read_bytes())
        words = {"{M}": self.market, "{lang}": self.language, "{cur}": facts["currency"], "{domain}": "linen.example"}
        text = json.dumps(value)
        for word, stands_for in words.items():
            text = text.replace(word, stands_for)
        return json.loads(text)

    def unsay(self, checks: list[Any]) -> None:
        """Takes out of the texts every line that says what the checks look for."""
        for check in checks:
            if "has" not in check or "text" not in check:
                continue
            pages = [check["text"]] if isinstance(check["text"], str) else check["text"]
            for language, texts in self.texts.items():
                said = check["has"].get(language, check["has"].get("any")) or []
                for page in pages:
                    kept = [
                        line
                        for line in texts.get(page, "").splitlines()
                        if not any(
                            phrases.find(phrases.normalise(line), phrase)
                            for phrase in ([said] if isinstance(said, str) else said)
                        )
                    ]
                    texts[page] = "\n".join(kept) + "\nNothing else.\n"

    def say(self, checks: list[Any]) -> None:
        """Writes into the texts what the checks refuse."""
        for check in checks:
            if "text" not in check or "hasnt" not in check:
                continue
            pages = (
                ["terms"]
                if check["text"] == "any"
                else [check["text"]]
                if isinstance(check["text"], str)
                else check["text"]
            )
            for language, texts in self.texts.items():
                said = check["hasnt"].get(language, check["hasnt"].get("any"))
                if said:
                    phrase = said if isinstance(said, str) else said[0]
                    texts[pages[0]] += phrase.split("|")[0].replace("*", " ").strip() + "\n"

    def write(self, folder: Path) -> Path:
        seller = self.spec["seller"]
        words = {"legal_name": seller["legal_name"], "email": seller["email"], **seller["address"]}
        for language, texts in self.texts.items():
            for page, text in texts.items():
                path = folder / "legal" / language / f"{page}.md"
                path.parent.mkdir(parents=True, exist_ok=True)
                filled = re.sub(r"\{(\w+)\}", lambda match: str(words[match[1]]), text)
                path.write_text(filled, encoding="utf-8")
        (folder / "sheet.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>')
        path = folder / "shop.yaml"
        path.write_text(yaml.dump(self.spec, Dumper=_Plain, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return path

    def load(self, folder: Path) -> Spec:
        spec = load(self.write(folder))
        for path, value in self._filled(self.resolved).items():
            put(spec.data, path, value)
        return spec

    def lint(self, folder: Path, **options: Any) -> list[Finding]:
        missing, _, broken = judge(self.load(folder), Options(day=self.day, **options))
        assert not broken, broken
        return missing


def good(market: str) -> Shop:
    spec = shop(market)
    return Shop(market, spec, {language: legal_texts(language) for language in spec["shop"]["languages"]})


def put(data: Any, path: str, value: Any) -> None:
    """Sets or takes out what a dotted path names, growing maps and lists on the way."""
    parts = [int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]
    for part, following in pairwise(parts):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(part, int):
            while len(data) <= part:
                data.append({})
        elif data.get(part) is None:
            data[part] = empty
        data = data[part]
    last = parts[-1]
    if value is None:
        if isinstance(last, int):
            del data[last:]
        else:
            data.pop(last, None)
    elif isinstance(last, int):
        data[last : last + 1] = [copy.deepcopy(value)]
    else:
        data[last] = copy.deepcopy(value)


def place_in(text: str, path: str) -> tuple[int, int]:
    """Line and column of a path in a YAML text, found with another reader than the tool's."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    found = (1, 1)
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == name), None)
            if pair is None:
                return found
            found, node = (pair[0].start_mark.line + 1, pair[0].start_mark.column + 1), pair[1]
        elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
            node = node.value[int(index)]
            found = (node.start_mark.line + 1, node.start_mark.column + 1)
        else:
            return found
    return found


__all__ = ["PAGES", "TODAY", "Place", "Shop", "good", "place_in", "put"]


def printed(answer: Answer) -> str:
    """What a command prints. Of many specs it can be read once."""
    return "".join(answer.output)
