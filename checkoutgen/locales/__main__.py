"""python -m checkoutgen.locales: brings the shop's catalogues into step with its templates and says what is missing.

Words are read from templates/shop, templates/payments/*/shop and templates/mails: {% translate %} and gettext calls.
Each folder of a language gets shop.po, for people, and shop.mo, which the shop reads. With --check nothing is written
and the exit code is 1 when something is missing or out of step.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import polib  # type: ignore[import-untyped]
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.plurals import get_plural
from django.conf import settings  # type: ignore[import-untyped]
from django.utils.translation.template import templatize  # type: ignore[import-untyped]

PACKAGE = Path(__file__).resolve().parent.parent
LOCALES = PACKAGE / "locales"
TEMPLATES = PACKAGE / "templates"
SOURCES = ("shop", "payments/*/shop", "mails")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    **{f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")},
    "gettext_noop": None,
    "_text": None,  # gettext, beside a lazy `_`
}
ENDINGS = {".py", ".html", ".txt", ".mjml"}
WITHOUT_WORDS = {"tests", "migrations", "var", "__pycache__"}
COMMENT = "Translators:"
# Django writes a msgstr into the page as it is, and some stand in attributes: it may hold the markup of its msgid only.
MARKUP = re.compile(r"</?\w[^<>]*>|&#?\w+;")
UNSAFE = re.compile(r"[<>&\"]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|%[sd]|\{\w*\}")
# Narrow no-break space before high punctuation and inside guillemets, apostrophes that are none of a typewriter.
FRENCH = re.compile(r"(?<![\u202f:/])[:;!?»](?![/\w])|«(?!\u202f)|'")

Key = tuple[str | None, str]


@dataclass
class Word:
    """A text of the shop: its context, its singular and plural, where it stands and what translators should know."""

    context: str | None
    singular: str
    plural: str | None
    files: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.context, self.singular


def languages() -> list[str]:
    return sorted(path.name for path in LOCALES.iterdir() if (path / "words.json").is_file())


def words() -> dict[Key, Word]:
    """Every text of the templates, by context and singular, in alphabetical order."""
    found: dict[Key, Word] = {}
    for path in sources():
        name = path.relative_to(TEMPLATES).as_posix()
        for word in read(path):
            known = found.setdefault(word.key, word)
            known.plural = known.plural or word.plural
            known.files += [name] if name not in known.files else []
            known.comments += [comment for comment in word.comments if comment not in known.comments]
    return {key: found[key] for key in sorted(found, key=lambda key: (key[1].casefold(), key[1], key[0] or ""))}


def sources() -> list[Path]:
    found: list[Path] = []
    for pattern in SOURCES:
        for top in sorted(TEMPLATES.glob(pattern)):
            files = sorted(path for path in top.rglob("*") if path.suffix in ENDINGS)
            found += [path for path in files if not WITHOUT_WORDS & set(path.relative_to(top).parts)]
    return found


def read(path: Path) -> Iterator[Word]:
    """The texts of one file. A template is turned into gettext calls by Django's own reader."""
    source = path.read_text("utf-8")
    if path.suffix != ".py":
        # Each line by itself, so that no indentation is taken for Python's.
        source = "\n".join(line.strip() for line in templatize(source).splitlines())
    for _line, message, comments, context in extract("python", BytesIO(source.encode()), KEYWORDS, (COMMENT,)):
        singular, plural = (message[0], message[1]) if isinstance(message, tuple) else (message, None)
        if singular:
            yield Word(
                context, singular, plural or None, [], [comment.removeprefix(COMMENT).strip() for comment in comments]
            )


def updated(language: str, found: dict[Key, Word]) -> polib.POFile:
    """The catalogue of a language with exactly the texts found. Known ones keep their words, English is its own."""
    path = LOCALES / language / "shop.po"
    known = {(entry.msgctxt, entry.msgid): entry for entry in (polib.pofile(str(path)) if path.exists() else ())}
    plural = get_plural(language.replace("-", "_"))
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Project-Id-Version": "checkoutgen shop",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": plural.plural_forms,
    }
    for key, word in found.items():
        old = known.get(key)
        entry = polib.POEntry(
            msgctxt=word.context,
            msgid=word.singular,
            occurrences=[(name, "") for name in sorted(word.files)],
            comment="\n".join(word.comments),
        )
        if word.plural:
            entry.msgid_plural = word.plural
            forms = [word.singular, *[word.plural] * (plural.num_plurals - 1)]
            kept = old.msgstr_plural if old and old.msgstr_plural else {}
            entry.msgstr_plural = {
                index: english if language == "en" else kept.get(index, "") for index, english in enumerate(forms)
            }
        else:
            entry.msgstr = word.singular if language == "en" else (old.msgstr if old else "")
        catalogue.append(entry)
    return catalogue


def problems(language: str, catalogue: polib.POFile) -> list[str]:
    """What is wrong with the translations of a language, each as one line."""
    found = []
    for entry in catalogue:
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        wrong = [reason for text in texts for reason in _faults(language, entry, text)]
        found += [f"{language}: {reason}: {entry.msgid!r}" for reason in dict.fromkeys(wrong)]
    return found


def _faults(language: str, entry: polib.POEntry, text: str) -> Iterator[str]:
    if not text:
        yield "not translated"
        return
    if entry.fuzzy:
        yield "only guessed (fuzzy)"
    if Counter(MARKUP.findall(text)) != Counter(MARKUP.findall(entry.msgid)) or UNSAFE.search(MARKUP.sub("", text)):
        yield 'has <, >, & or " that the English has not, and it would reach the page as it is'
    if text.strip(" \n\t") != text and entry.msgid.strip() == entry.msgid:
        yield "begins or ends with a blank"
    wanted = Counter(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    given = Counter(PLACEHOLDER.findall(text))
    # The form for one thing may say "one" instead of the number.
    if given != wanted and not (entry.msgid_plural and given <= wanted):
        yield "has other placeholders"
    if language == "fr" and FRENCH.search(PLACEHOLDER.sub("", text)):
        yield "needs a narrow no-break space before : ; ! ? and inside « », and ’ for an apostrophe"


def main(arguments: list[str]) -> int:
    if not settings.configured:
        settings.configure()
    check = "--check" in arguments
    found = words()
    failed = False
    for language in languages():
        catalogue = updated(language, found)
        folder = LOCALES / language
        for path, content in (
            (folder / "shop.po", str(catalogue).encode()),
            (folder / "shop.mo", catalogue.to_binary()),
        ):
            if path.exists() and path.read_bytes() == content:
                continue
            if check:
                failed = True
                print(f"{path.relative_to(PACKAGE.parent)} is out of step: run python -m checkoutgen.locales")
            else:
                path.write_bytes(content)
        wrong = problems(language, catalogue)
        failed = failed or bool(wrong)
        print("\n".join(wrong), f"{language}: {len(catalogue)} texts, {len(wrong)} to do", sep="\n" if wrong else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
