"""Hostile and careless values in a spec that reads well: a clear error at the place, the value never echoed whole."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen.errors import SpecError, UsageError
from checkoutgen.spec import Spec, load, validate

from .conftest import Problems, change, minimal, written

WrongCase = tuple[str, str, Any, str]

PRODUCT = "catalogue.products.0"
METHOD = "delivery.methods.0"

WRONG: list[WrongCase] = [
    ("H17", "pyment", {}, "did you mean `payment`"),
    ("H17", "checkout.layot", "steps", "did you mean `layout`"),
    ("H17", f"{METHOD}.kind", "click-and-colect", "did you mean `click-and-collect`"),
    ("H18", "p\u0430yment", {}, "U+0430"),
    *[
        ("H26", f"{PRODUCT}.id", name, "must be" if name in ("None", "__init__", "ﬁ", "Ⅷ", "0a", "sheet\n") else "")
        for name in (
            "class",
            "None",
            "__init__",
            "import",
            "ﬁ",
            "Ⅷ",
            "0a",
            "x" * 300,
            "con",
            "admin",
            "django",
            "select",
            "models",
        )
    ],
    ("H27", "catalogue.categories", {"A-b": {"title": "x"}}, "cannot be a key"),
    *[
        ("H32", "shop.theme.brand", colour, "must be a colour")
        for colour in (
            "red;background:url(//evil)",
            "#fff}body{display:none",
            "expression(1)",
            "var(--x)",
            "#fff",
            "red",
            "#12345\n",
        )
    ],
    ("H33", "shop.theme.font", 'x"; @import url(//evil)', "is none of"),
    *[
        ("H34", "support.chat_url", url, "must")
        for url in (
            "javascript:alert(1)",
            "java\tscript:x",
            " javascript:x",
            "data:text/html,x",
            "//evil",
            "/\\evil",
            "http://shop.example",
            "https://x.example/\n",
            "https://x.example/%0d%0aSet-Cookie:x",
            "https://x.example/\\y",
        )
    ],
    ("H34", "support.chat_url", "https://shop@evil.example", "without user"),
    ("H34", "support.chat_url", "https://\u0430pple.com", "U+0430"),
    *[
        ("H35", "support.chat_url", f"https://{host}/x", "full host name")
        for host in ("127.0.0.1", "169.254.169.254", "[::1]", "0x7f.1", "localhost.", "localhost", "x.example:443")
    ],
    ("H35", f"{METHOD}.tracking_url", "https://track.example/{number}{0.__class__}", "{number} once"),
    ("H35", f"{METHOD}.tracking_url", "https://track.example/", "{number} once"),
    *[
        ("H36", "shop.theme.logo", name, "must")
        for name in (
            "../../etc/passwd",
            "/etc/passwd",
            "..\\x",
            "file:///etc/passwd",
            "C:\\x",
            "~/.ssh/id_rsa",
            "$HOME/x",
            "a//b",
            "./x.png",
            ".git/config",
            "-rf.png",
            "a\nb.png",
        )
    ],
    ("H36", "shop.theme.logo", "con.png", "Windows"),
    ("H42", "shop.slug", ".git", "must be"),
    *[("H42", "shop.slug", slug, "must be") for slug in ("..", "a/b", "a\nb", "-rf", "maison-lin\n")],
    ("H42", "shop.slug", "con", "reserved"),
    ("H42", "shop.slug", "", "must be"),
    *[
        ("H51", "mails.from.name", name, "must be a plain name")
        for name in ("Shop\nBcc: a@b", "Shop, evil <x@y>", "=?utf-8?q?x?=", 'a"b', "a\\b")
    ],
    ("H51", "mails.from.name", "x" * 1000, "longer than 100"),
    *[
        ("H52", "mails.reply_to", address, "must be one e-mail address")
        for address in ("a@x.example, b@x.example", "a@b@c.example", "a b@x.example", "@x.example", ".a@x.example")
    ],
    ("H52", "mails.reply_to", "a@x.example\n", "full host name"),
    ("H52", "mails.reply_to", "a@-b.example", "full host name"),
    ("H52", "mails.reply_to", "a@\u0435xample.com", "U+0435"),
    *[
        ("H56", f"{PRODUCT}.price", price, "must be an amount")
        for price in ("-1", "1,99", "１９", "1e9", " 5", "5 ", "+5", "€5", "5.", ".5", "0x5", "1_000", "5.90\n")
    ],
    ("H56", f"{PRODUCT}.price", -1, "at least 0"),
    ("H56", f"{PRODUCT}.price", 0, "above 0"),
    ("H56", f"{PRODUCT}.price", "0.00", "above 0"),
    ("H56", f"{PRODUCT}.price", "0.001", "more decimals than EUR"),
    ("H56", f"{PRODUCT}.price", "19.999", "more decimals than EUR"),
    ("H56", f"{PRODUCT}.price", "1000000000", "larger than any amount"),
    ("H56", f"{PRODUCT}.price", {"EUR": "1", "JPY": "10.5"}, "more decimals than JPY"),
    ("H56", f"{PRODUCT}.price", {"EUR": "1", "KWD": "1.2345"}, "more decimals than KWD"),
    ("H56", f"{PRODUCT}.price", {"EURO": "1"}, "capital letters"),
    ("H56", f"{PRODUCT}.price", {"eur": "1"}, "capital letters"),
    ("H56", f"{PRODUCT}.price", {"XXX": "1"}, "cannot be a key"),
    ("H56", f"{PRODUCT}.price", {"SEK": "1"}, "needs an amount in EUR"),
    ("H56", f"{PRODUCT}.price", True, "not true or false"),
    ("H56", f"{PRODUCT}.price", [1], "not a list"),
    ("H56", "shop.currency", "XXX", "not a currency"),
    ("H57", f"{PRODUCT}.tax", "19%", "must be"),
    ("H57", f"{PRODUCT}.tax", "luxury", "has no VAT rate"),
    ("H57", "markets", {"UK": {}}, "did you mean `GB`"),
    ("H57", "markets", {"EL": {}}, "did you mean `GR`"),
    ("H57", "markets", {"XK": {}}, "not a country"),
    ("H57", "markets", {"JP": {}}, "no facts about the country JP"),
    ("H58", "checkout.coupons", [{"code": "AAA", "percent": "110"}], "at most 100"),
    ("H58", "checkout.coupons", [{"code": "AAA", "percent": "-5"}], "percentage above 0"),
    ("H58", "checkout.coupons", [{"code": "' OR 1=1", "percent": "5"}], "must be letters"),
    ("H58", "checkout.coupons", [{"code": "abc", "percent": "5"}, {"code": "ABC", "percent": "6"}], "used already"),
    ("H58", "checkout.coupons", [{"code": "abc", "percent": "5", "amount": "1"}], "exactly one"),
    (
        "H58",
        "checkout.coupons",
        [{"code": "abc", "amount": "1", "starts": "2026-12-02", "ends": "2026-12-01"}],
        "before",
    ),
    ("H59", f"{PRODUCT}.stock", -1, "at least 0"),
    ("H59", f"{PRODUCT}.stock", 10**17, "at most"),
    ("H59", f"{PRODUCT}.stock", True, "must be a whole number"),
    *[
        ("H60", "shop.languages", [name], "must be")
        for name in ("de_DE/../..", "en-US-x-evil", "x" * 10_000, "EN", "e")
    ],
    ("H60", "shop.languages", ["xx"], "no translation into `xx`"),
    ("H60", "shop.languages", ["en", "en"], "listed twice"),
    ("H62", "SECRET_KEY", "x", "unknown key"),
    ("H62", "shop.settings", {"DEBUG": True}, "unknown key"),
    *[
        ("H63", "shop.url", url, "must be")
        for url in ("https://shop.test:443/evil", "shop.test", "https://shop.test/x")
    ],
    ("H63", "shop.url", "https://xn--80ak6aa92e.com", "punycode"),
    *[
        ("H63", "shop.url", url, "host name")
        for url in ("https://shop.test\n", "https://*.test", "https://localhost", "https://10.0.0.1", "https://a.b:1")
    ],
    *[("H64", f"{PRODUCT}.id", name, "") for name in ("admin", "static", "webhooks", ".well-known", "%2e%2e")],
    ("H66", "insights.snippet", "<script>", "unknown key"),
    ("H67", "shop.template", "x.jinja", "unknown key"),
    ("H68", "$schema", "http://evil.example/x.json", "unknown key"),
    ("H68", "shop.$ref", "file:///etc/passwd", "unknown key"),
    (
        "iban",
        "payment.methods",
        [{"id": "t", "kind": "bank-transfer", "iban": "FR76 3000 6000 0112 3456 7890 188"}],
        "check digits",
    ),
    ("day", "delivery.closed", ["2026-02-30"], "no such day"),
    ("time", "delivery.cut_off", "24:00", "must be a time"),
    ("time zone", "shop.timezone", "Europe/Lutetia", "must be a time zone"),
    ("time zone", "shop.timezone", "../../etc/passwd", "must be a time zone"),
]


@pytest.mark.parametrize(
    ("path", "value", "words"), [pytest.param(*case[1:], id=f"{case[0]} {ascii(case[2])[:40]}") for case in WRONG]
)
def test_refused(problems_with: Callable[..., Problems], path: str, value: Any, words: str) -> None:
    problems = problems_with({path: value})
    assert any(words in problem.message for problem in problems), problems
    for problem in problems:
        line = str(problem)
        assert line.isascii() or "\u2019" not in line
        assert "\n" not in line
        assert "\x1b" not in line
        assert len(line) < 700


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_0123456789abcdef",
        "rk_live_0123456789abcdef",
        "whsec_0123456789abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN PRIVATE KEY-----",
        "postgres://shop:hunter2@db.example/shop",
        "ghp_0123456789abcdefghijklmnop",
    ],
)
@pytest.mark.parametrize(
    "path",
    ["shop.name", "payment.providers.demo.webhook_secret", "support.chat_url", f"{PRODUCT}.sku", "legal.pages.terms"],
)
def test_h61_secrets_are_refused_without_being_repeated(
    problems_with: Callable[..., Problems], path: str, secret: str
) -> None:
    problems = problems_with({path: secret})
    assert any("holds a secret" in problem.message for problem in problems)
    assert all(secret[4:20] not in str(problem) for problem in problems)


@given(st.from_regex(validate._SECRET), st.text(max_size=20), st.text(max_size=20))
def test_the_quick_look_overlooks_no_secret(secret: str, before: str, after: str) -> None:
    assert validate._may_hold_secret((before + secret + after).encode())


def test_secrets_are_named_by_environment_variable(load_with: Callable[..., Spec]) -> None:
    spec = load_with({"payment.providers.demo.webhook_secret": "env:HOOK"})
    assert spec.data["payment"]["providers"]["demo"]["webhook_secret"] == "env:HOOK"


@pytest.mark.parametrize(
    "value", ["a\n::add-mask::x", "::stop-commands::t", "::error file=x::", "\x1b[2J", "[/red]", "x" * 60_000]
)
def test_h48_h49_wrong_values_stay_on_one_harmless_line(tmp_path: Path, value: str) -> None:
    for name in ("spec.yaml", "::error file=x::.yaml"):
        path = tmp_path / name
        path.write_bytes(written(change(minimal(), "checkout.layout", value.replace("\x1b", "\u241b"))))
        os.chdir(tmp_path)
        with pytest.raises(SpecError) as caught:
            load(Path(name))
        for line in caught.value.lines():
            assert not line.startswith("::")
            assert line.count("\n") == 0
            assert len(line) < 400


@pytest.mark.parametrize(
    "path",
    [
        "shop.name",
        "shop.slug",
        "shop.url",
        "seller.email",
        "seller.phone",
        "seller.vat_id",
        "seller.register.siren",
        "shop.theme.brand",
        "shop.timezone",
        "mails.from.name",
        "delivery.cut_off",
        "delivery.methods.0.tracking_url",
        "payment.methods.0.bic",
        "payment.methods.0.iban",
        "catalogue.products.0.sku",
        "catalogue.products.0.price",
    ],
)
@pytest.mark.parametrize(
    "victim", ["a" * 63_000 + "!", "1" * 63_000 + "!", "a.a" * 21_000 + "@", "https://" + "a." * 30_000]
)
def test_h54_no_pattern_is_slow(problems_with: Callable[..., Problems], path: str, victim: str) -> None:
    problems_with({"shop.url": "x"})  # what is loaded once
    start = time.process_time()
    problems_with({path: victim})
    assert time.process_time() - start < 0.25


def test_h55_thousands_of_errors_are_counted(tmp_path: Path) -> None:
    document = minimal() | {f"unknown{n}": 1 for n in range(9_000)}
    start = time.process_time()
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "spec.yaml", text=written(document))
    assert time.process_time() - start < 2
    assert len(caught.value.lines()) == 51
    assert caught.value.lines()[-1] == "and 8,950 more"


@pytest.mark.parametrize("name", ["/dev/zero", "fifo", "folder", "missing.yaml", "spec\0.yaml"])
def test_h05_only_regular_files(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"regular file|folder|does not exist|no file can have"):
        load(tmp_path / name)


INERT = [
    "{{ 7*7 }}",
    "{% import os %}",
    "{# x",
    "{% endverbatim %}{{ 7*7 }}",
    "%(secret)s",
    "100 %",
    "{0.__class__}",
    "'); __import__('os').system('id') #",
    "ends with \\",
    "\\N{BELL}",
    "</script><script>__pwned=1</script>",
    "<!--",
    "]]>",
    '" onmouseover=x',
    "<img src=x onerror=x>",
    '=HYPERLINK("x")',
    "$(id)",
    "`id`",
    "${{ github.token }}",
    "🧵 emoji \u200d",
]


@pytest.mark.parametrize("text", INERT)
def test_h19_to_h53_texts_come_through_unchanged(load_with: Callable[..., Spec], text: str) -> None:
    spec = load_with(
        {
            "shop.name": text,
            "shop.tagline": text,
            f"{PRODUCT}.title": text,
            f"{PRODUCT}.description": text,
            "legal.pages.terms": text,
            "mails.from.name": "Shop",
        }
    )
    assert spec.data["shop"]["name"] == text
    assert spec.data["shop"]["tagline"] == {"en": text}
    product = spec.data["catalogue"]["products"][0]
    assert (product["title"], product["description"]) == ({"en": text}, {"en": text})
    assert spec.data["legal"]["pages"]["terms"]["body"] == {"en": text}
