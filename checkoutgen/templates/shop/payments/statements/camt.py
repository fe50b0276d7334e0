"""CAMT.053 of ISO 20022, versions 2, 4 and 8, read entry by entry, however long the file is.

Document types, external entities and entity declarations are refused before anything of them is expanded.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from payments.units import from_text

from . import Entry, Ids, StatementError

_NAMESPACE = re.compile(r"\{(urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?:02|04|08))\}Document")
_NONE = ("", "NONREF", "NOTPROVIDED", "NONE")
MAX_DEPTH = 40
MAX_TEXT = 500


def entries(file: IO[bytes]) -> Iterator[Entry]:
    """The entries of all statements in the file, in its order. StatementError as soon as it is not as it should be."""
    try:
        yield from _entries(file)
    except DefusedXmlException as hostile:
        raise StatementError(f"refused: {type(hostile).__name__}, no bank writes that") from None
    except ParseError as broken:
        raise StatementError(f"no well-formed XML: {broken}") from None
    except (ValueError, LookupError, RecursionError) as broken:  # an encoding that does not exist
        if isinstance(broken, StatementError):
            raise
        raise StatementError(f"no readable XML: {type(broken).__name__}") from None


def _entries(file: IO[bytes]) -> Iterator[Entry]:
    reader: _Reader | None = None
    path: list[Element] = []
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            reader = reader or _Reader(_namespace(element.tag))
            path.append(element)
            if len(path) > MAX_DEPTH:
                raise StatementError(f"nested more than {MAX_DEPTH} deep")
            continue
        path.pop()
        name = element.tag.rpartition("}")[2]
        if name == "Acct" and path and path[-1].tag.endswith("}Stmt") and reader:
            reader.account = reader.text(element, "Id/IBAN") or reader.text(element, "Id/Othr/Id")
        elif name == "Ntry" and reader:
            yield from reader.entry(element)
        if name in ("Ntry", "Bal", "TxsSummry") and path:
            path[-1].remove(element)  # or the whole file would be in memory at its end


def _namespace(tag: str) -> str:
    found = _NAMESPACE.fullmatch(tag)
    if found is None:
        raise StatementError("no CAMT.053 of version 2, 4 or 8")
    return found[1]


class _Reader:
    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.account = ""
        self.ids = Ids()

    def find(self, element: Element, path: str) -> Element | None:
        return element.find(self._long(path))

    def all(self, element: Element, path: str) -> list[Element]:
        return element.findall(self._long(path))

    def _long(self, path: str) -> str:
        return "/".join(f"{{{self.namespace}}}{step}" for step in path.split("/"))

    def text(self, element: Element, path: str) -> str:
        found = self.find(element, path)
        return (found.text or "").strip()[:MAX_TEXT] if found is not None else ""

    def entry(self, element: Element) -> Iterator[Entry]:
        """One entry, or one for each payment that the bank booked together."""
        details = self.all(element, "NtryDtls/TxDtls")
        total = self.amount(element, "Amt")
        parts = [self.part(each) for each in details]
        if len(parts) > 1 and not self._add_up(parts, total):
            details, parts = [], []  # who paid what cannot be said: a person looks at the sum
        if not parts or (len(parts) == 1 and parts[0][0] is None):
            parts = [total]
        for number, part in enumerate(parts):
            yield self._entry(element, details[number] if details else None, part, f".{number}" if number else "")

    @staticmethod
    def _add_up(parts: list[tuple[int | None, str]], total: tuple[int | None, str]) -> bool:
        if any(amount is None or currency != total[1] for amount, currency in parts):
            return False
        return sum(amount or 0 for amount, _ in parts) == total[0]

    def part(self, detail: Element) -> tuple[int | None, str]:
        own = self.amount(detail, "Amt")
        return own if own[1] else self.amount(detail, "AmtDtls/TxAmt/Amt")

    def amount(self, element: Element, path: str) -> tuple[int | None, str]:
        found = self.find(element, path)
        currency = (found.get("Ccy") or "") if found is not None else ""
        if found is None or not re.fullmatch(r"[A-Z]{3}", currency):
            return None, ""
        text = (found.text or "").strip()
        value = from_text(text, currency) if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,5})?", text) else None
        return value, currency

    def _entry(self, element: Element, detail: Element | None, part: tuple[int | None, str], suffix: str) -> Entry:
        amount, currency = part
        sign = (self.text(detail, "CdtDbtInd") if detail is not None else "") or self.text(element, "CdtDbtInd")
        texts = tuple(self._texts(element, detail))
        day = _day(self.text(element, "BookgDt/Dt") or self.text(element, "BookgDt/DtTm"))
        own = self.text(detail, "Refs/AcctSvcrRef") if detail is not None else ""
        shared = self.text(element, "AcctSvcrRef")
        if own.upper() not in _NONE and own != shared:
            name = own
        elif shared.upper() not in _NONE:
            name = shared + suffix
        else:
            name = self.ids.of(self.account, day, sign, amount, currency, *texts)
        return Entry(
            id=f"{self.account}:{name}",
            day=day,
            amount=amount,
            currency=currency,
            credit=sign == "CRDT",
            texts=texts,
            booked=(self.text(element, "Sts/Cd") or self.text(element, "Sts")) in ("", "BOOK"),
            returned=self.text(element, "RvslInd") == "true"
            or (detail is not None and self.find(detail, "RtrInf") is not None),
        )

    def _texts(self, element: Element, detail: Element | None) -> Iterator[str]:
        if detail is not None:
            for strd in self.all(detail, "RmtInf/Strd"):
                yield from filter(None, [self.text(strd, "CdtrRefInf/Ref"), self.text(strd, "RfrdDocInf/Nb")])
                yield from filter(None, [(each.text or "")[:MAX_TEXT] for each in self.all(strd, "AddtlRmtInf")])
            # The lines of one text, cut by the bank wherever its form ends.
            lines = [(each.text or "")[:MAX_TEXT] for each in self.all(detail, "RmtInf/Ustrd")]
            yield from filter(None, ["".join(lines), *lines])
            yield from filter(None, [self.text(detail, "Refs/EndToEndId"), self.text(detail, "AddtlTxInf")])
        yield from filter(None, [self.text(element, "AddtlNtryInf")])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
