"""Folding changes the time a page takes, never a byte of it."""

import copy
import re
from datetime import timedelta
from unittest.mock import patch

from django.conf import settings
from django.core.cache import cache
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from config.shop import SHOP
from tests.stall import open_stall

UNFOLDED = copy.deepcopy(settings.TEMPLATES)
UNFOLDED[0]["OPTIONS"]["loaders"] = [
    ("django.template.loaders.cached.Loader", UNFOLDED[0]["OPTIONS"]["loaders"][0][1]),
]
# What is random in every answer.
RANDOM = re.compile(rb'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"')


class FoldingTest(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        open_stall()

    def setUp(self) -> None:
        # One moment for both renderings: the cart names the minute until which it is kept.
        clock = patch("cart.session.expires_at", return_value=timezone.now() + timedelta(hours=1))
        for patcher in (patch.dict(SHOP["checkout"], minimum_order=None), patch.dict(SHOP, business={}), clock):
            patcher.start()
            self.addCleanup(patcher.stop)

    def pages(self) -> dict[str, bytes]:
        cache.clear()
        found = {}
        for language in SHOP["shop"]["languages"]:
            with override(language):
                client = self.client_class()
                client.post(reverse("cart:add"), {"sku": "SHEET", "quantity": "2"})
                for url in (
                    reverse("catalogue:home"),
                    reverse("catalogue:product", args=["cover"]),
                    reverse("cart:show"),
                    reverse("checkout:start"),
                    f"/{language}/none/",
                ):
                    page = RANDOM.sub(b"", client.get(url, follow=True).content)
                    found[url] = re.sub(rb"(quantity-|value=\"|line=)\d+", rb"\1", page)
        return found

    def test_folded_bytes_equal_unfolded_bytes(self) -> None:
        folded = self.pages()
        with override_settings(TEMPLATES=UNFOLDED):
            plain = self.pages()
        self.assertEqual(folded.keys(), plain.keys())
        for url in folded:
            with self.subTest(url):
                self.assertGreater(len(folded[url]), 2000)
                self.assertEqual(folded[url], plain[url])
