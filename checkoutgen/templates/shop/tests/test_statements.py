"""How much a purchase asks of the database. The bounds are generous: they catch a query for every line or product."""

from collections.abc import Callable
from functools import partial

from django.db import connection
from django.db.transaction import TransactionManagementError
from django.http import HttpResponse
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from catalogue import shelf
from catalogue.models import Variant
from checkout.steps import STEPS
from common.rows import locked
from orders.models import Order
from tests.buyer import BuyerTestCase, address

WRITES = ("INSERT", "UPDATE", "DELETE")


class StatementsTest(BuyerTestCase):
    def setUp(self) -> None:
        super().setUp()
        for sku in ("PILLOW", "GIFT", "C-S-BLUE"):
            self.client.post(address("cart:add"), {"sku": sku, "quantity": "1"})

    def asked(self, send: Callable[[], HttpResponse], status: int) -> list[str]:
        with CaptureQueriesContext(connection) as found:
            response = send()
        self.assertEqual(response.status_code, status)
        return [query["sql"] for query in found]

    def test_pages_only_read(self) -> None:
        """Nothing to write: no transaction either, which would wait for those who do write (SQLite has one lock)."""
        self.go_to_review()
        pages = [address("catalogue:product", "cover"), address("cart:show")]
        pages += [address("checkout:step", step.slug) for step in STEPS]
        for url in pages:
            self.client.get(url)  # the shelf and the kept parts are filled
            with self.subTest(url):
                statements = self.asked(partial(self.client.get, url), 200)
                self.assertLessEqual(len(statements), 6)
                self.assertTrue(all(each.startswith("SELECT") for each in statements), statements)

    def test_a_step_writes_the_cart_once(self) -> None:
        for step in STEPS[:-1]:
            answers = self.answers(step.slug)
            with self.subTest(step.slug):
                statements = self.asked(partial(self.client.post, address("checkout:step", step.slug), answers), 303)
                self.assertLessEqual(len(statements), 8)
                self.assertEqual(sum(each.startswith(WRITES) for each in statements), 1, statements)

    def test_an_order_of_four_articles(self) -> None:
        self.go_to_review()
        answers = self.answers("review")
        statements = self.asked(partial(self.client.post, address("checkout:step", "review"), answers), 303)
        self.assertEqual(Order.objects.get().lines.count(), 4)
        self.assertLessEqual(len(statements), 45)


class ShelfTest(BuyerTestCase):
    def test_an_article_is_taken_with_the_stock_of_today_and_belongs_to_nobody_else(self) -> None:
        first = shelf.variant("PILLOW")
        Variant.objects.filter(sku="PILLOW").update(stock=1)
        second = shelf.variant("PILLOW")
        self.assertEqual((first.stock, second.stock), (3, 1))
        Variant.objects.filter(sku="PILLOW").update(published=False)
        self.assertIsNone(shelf.variant("PILLOW"))
        self.assertIsNone(shelf.variant("NONE"))


class LockTest(TransactionTestCase):
    def test_a_row_cannot_be_locked_where_the_lock_would_not_last(self) -> None:
        with self.assertRaises(TransactionManagementError):
            locked(Order, 1)
