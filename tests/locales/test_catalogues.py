"""The shop's catalogues: complete, sound, and in step with the templates they were read from."""

from __future__ import annotations

from pathlib import Path

import polib
import pytest

from checkoutgen.locales import __main__ as catalogues


@pytest.fixture(scope="module")
def found() -> dict[catalogues.Key, catalogues.Word]:
    return catalogues.words()


@pytest.mark.parametrize("language", catalogues.languages())
def test_catalogue_is_complete_and_in_step(language: str, found: dict[catalogues.Key, catalogues.Word]) -> None:
    catalogue = catalogues.updated(language, found)
    folder = catalogues.LOCALES / language
    remedy = "run python -m checkoutgen.locales"
    assert catalogues.problems(language, catalogue) == []
    assert (folder / "shop.po").read_text("utf-8") == str(catalogue), remedy
    assert (folder / "shop.mo").read_bytes() == catalogue.to_binary(), remedy


def test_words_are_read_from_all_three_places(found: dict[catalogues.Key, catalogues.Word]) -> None:
    for file in ("shop/mails/facts.py", "shop/templates/returns/find.html", "mails/shipped/mail.mjml"):
        assert any(file in word.files for word in found.values()), file
    assert any(name.startswith("payments/") for word in found.values() for name in word.files)


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.html", '<p>{% translate "Total" %}</p>', (None, "Total", None)),
        ("a.html", '{% field f label=_("Postcode") %}', (None, "Postcode", None)),
        ("a.html", "{% translate 'Country' context 'address' %}", ("address", "Country", None)),
        (
            "a.txt",
            "{% blocktranslate trimmed count n=n %}\n{{ n }} day\n{% plural %}\n{{ n }} days\n{% endblocktranslate %}",
            (None, "%(n)s day", "%(n)s days"),
        ),
        ("a.mjml", '<mj-text>{% translate "Hello" %}</mj-text>', (None, "Hello", None)),
        ("a.py", 'title = gettext_lazy("Re" "view")', (None, "Review", None)),
        ("a.py", 'ngettext("%d item", "%d items", n)', (None, "%d item", "%d items")),
        ("a.py", 'pgettext_lazy("address", "State")', ("address", "State", None)),
    ],
)
def test_reading(tmp_path: Path, name: str, source: str, expected: tuple[str | None, str, str | None]) -> None:
    path = tmp_path / name
    path.write_text(source, "utf-8")
    [word] = catalogues.read(path)
    assert (word.context, word.singular, word.plural) == expected


@pytest.mark.parametrize(
    ("language", "english", "translated", "fault"),
    [
        ("de", "Total", "", "not translated"),
        ("de", "Total", "<b>Summe</b>", "would reach the page"),
        ("de", "Goods", "Waren & mehr", "would reach the page"),
        ("de", "Say hello", 'Sag "Hallo"', "would reach the page"),
        ("de", "<b>%(n)s</b> left", "%(n)s übrig", "would reach the page"),
        ("de", "%(n)s left", "übrig", "other placeholders"),
        ("de", "%(n)s left", "%(m)s übrig", "other placeholders"),
        ("de", "%(n)s left", "%(n)s von %(n)s übrig", "other placeholders"),
        ("de", "Total", " Summe", "blank"),
        ("fr", "Why?", "Pourquoi ?", "no-break space"),
        ("fr", "The order", "L'ordre", "no-break space"),
        ("fr", "“A”", "« A »", "no-break space"),
    ],
)
def test_faults_are_found(language: str, english: str, translated: str, fault: str) -> None:
    entry = polib.POEntry(msgid=english, msgstr=translated)
    [problem] = catalogues.problems(language, [entry])
    assert fault in problem


@pytest.mark.parametrize(
    ("language", "english", "translated"),
    [
        ("fr", "Why?", "Pourquoi\u202f?"),
        ("fr", "Open at 9:30, https://shop.example", "Ouvert à 9:30, https://shop.example"),
        ("de", "<b>%(n)s</b> left", "noch <b>%(n)s</b>"),
    ],
)
def test_sound_translations_pass(language: str, english: str, translated: str) -> None:
    assert catalogues.problems(language, [polib.POEntry(msgid=english, msgstr=translated)]) == []


def test_singular_may_spell_the_number_out() -> None:
    entry = polib.POEntry(msgid="%(n)s day", msgid_plural="%(n)s days", msgstr_plural={0: "ein Tag", 1: "%(n)s Tage"})
    assert catalogues.problems("de", [entry]) == []
    entry.msgstr_plural[1] = "%(m)s Tage"
    assert len(catalogues.problems("de", [entry])) == 1


def test_guesses_are_refused() -> None:
    entry = polib.POEntry(msgid="Total", msgstr="Summe", flags=["fuzzy"])
    assert "fuzzy" in catalogues.problems("de", [entry])[0]
