"""No English on pages and in mails of a shop in another language: the example shop is built, crawled and read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polib
import pytest

from checkoutgen.build.render import render
from checkoutgen.locales.__main__ import LOCALES
from checkoutgen.spec import load

HERE = Path(__file__).parent
EXAMPLE = HERE.parent.parent / "examples" / "b2c.yaml"
ADDRESS = re.compile(r"\S*(?:://|@|/)\S*")
# Words that every longer English sentence has and that mean nothing in the other languages of the example.
ENGLISH = re.compile(r"\b(?:the|your|with|please|this|you|from|of|which)\b")

Pages = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    shop = tmp_path_factory.mktemp("shop")
    for name, file in render(load(EXAMPLE)).items():
        path = shop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    environment = {**os.environ, "DEBUG": "1", "LOG_LEVEL": "CRITICAL", "VAR_DIR": str(shop / "var")}
    crawler = [sys.executable, str(HERE / "crawl.py")]
    done = subprocess.run(crawler, cwd=shop, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: Pages = json.loads(done.stdout)
    return found


def test_the_crawl_saw_the_whole_path(pages: Pages) -> None:
    for language, seen in pages.items():
        for part in ("/p/", "/c/", "/cart/", "/legal/", "/account/", "/withdraw/", "/order/", "mail shipped"):
            assert any(part in path for path in seen), (language, part)
        # The last step is only shown when the others are filled in.
        assert seen[f"/{language}/checkout/review/"] != seen[f"/{language}/checkout/payment/"]


def test_english_shop_speaks_english(pages: Pages) -> None:
    """Else the test below would find nothing in any language."""
    assert sum(bool(ENGLISH.search(text)) for words in pages["en"].values() for text in words) > 100


def test_no_english_elsewhere(pages: Pages) -> None:
    leaks = []
    for language in pages.keys() - {"en"}:
        catalogue = polib.pofile(str(LOCALES / language / "shop.po"))
        english = {entry.msgid for entry in catalogue if " " in entry.msgid and entry.msgstr not in ("", entry.msgid)}
        for page, words in pages[language].items():
            for text in words:
                plain = ADDRESS.sub("", text)
                if ENGLISH.search(plain) or text in english:
                    leaks.append(f"{page}: {text}")
    assert leaks == []
