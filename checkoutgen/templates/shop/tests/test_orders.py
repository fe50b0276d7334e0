"""Placing orders: what is frozen, what stock becomes of it, and what concurrency must not break."""

from datetime import timedelta
from unittest.mock import patch

from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.utils import timezone

from cart.models import CartLine
from catalogue.models import Variant
from config.shop import SHOP
from orders import lifecycle, links, placing
from orders.models import NumberSeries, Order, OrderLine
from orders.states import LIVE_ATTEMPT, ORDER_MOVES, AttemptState, IllegalMove, OrderState, check_move
from payments import engine

from .shopping import ConcurrentShoppingTestCase, ShoppingTestCase, a_cart, a_variant, an_order
from .threads import at_once


class PlacingTest(ShoppingTestCase):
    def test_order_freezes_what_the_buyer_saw(self) -> None:
        variant = a_variant(stock=10, amount=4200)
        cart = a_cart(variant, quantity=3)
        order = placing.place(cart, now=timezone.now())
        line = order.lines.get()
        self.assertEqual((line.sku, line.quantity, line.stock_taken), (variant.sku, 3, 3))
        self.assertEqual(order.goods_amount, 3 * line.unit_amount)
        self.assertEqual(order.total_amount, sum(each["gross"] for each in order.taxes))
        self.assertEqual(order.tax_amount, sum(each["tax"] for each in order.taxes))
        self.assertEqual(order.shipping_address["name"], "Ada Byron")
        self.assertLessEqual(order.delivery["earliest"], order.delivery["latest"])
        self.assertEqual(len(order.terms["sha256"]), 64)
        self.assertEqual(order.terms["version"], SHOP["legal"]["version"])
        self.assertState(order, "draft")
        self.assertStock(variant, 7)

    def test_later_changes_of_the_product_do_not_reach_the_order(self) -> None:
        variant = a_variant(amount=4200)
        order = an_order(variant)
        Variant.objects.filter(pk=variant.pk).update(prices={})
        variant.product.delete()
        order.refresh_from_db()
        line = order.lines.get()
        self.assertIsNone(line.variant)
        self.assertEqual(line.title["en"][:5], "Thing")

    def test_second_call_returns_the_first_order(self) -> None:
        variant = a_variant(stock=10)
        cart = a_cart(variant)
        first = placing.place(cart, now=timezone.now())
        again = placing.place(cart, now=timezone.now() + timedelta(minutes=1))
        self.assertEqual(first.pk, again.pk)
        self.assertStock(variant, 9)

    def test_price_change_in_checkout_is_told_and_nothing_ordered(self) -> None:
        variant = a_variant(amount=4200)
        cart = a_cart(variant)
        for currency in variant.prices:
            variant.prices[currency]["amount"] = 4300
        variant.save()
        with self.assertRaises(placing.CartChanged) as changed:
            placing.place(cart, now=timezone.now())
        self.assertEqual([notice.kind for notice in changed.exception.notices], ["price"])
        self.assertFalse(Order.objects.exists())
        placing.place(cart, now=timezone.now())  # the buyer has seen it and agrees

    def test_another_total_than_on_the_button_is_not_ordered(self) -> None:
        cart = a_cart()
        with self.assertRaises(placing.CartChanged):
            placing.place(cart, now=timezone.now(), seen_total=1)
        self.assertFalse(Order.objects.exists())

    def test_vanished_product_is_told(self) -> None:
        variant = a_variant()
        cart = a_cart(variant)
        Variant.objects.filter(pk=variant.pk).update(published=False)
        with self.assertRaises(placing.CartChanged):
            placing.place(cart, now=timezone.now())

    def test_too_little_stock_is_told_and_nothing_taken(self) -> None:
        scarce, plenty = a_variant(stock=1), a_variant(stock=10)
        cart = a_cart(scarce, quantity=2)
        CartLine.objects.create(
            cart=cart, variant=plenty, sku=plenty.sku, quantity=1, unit_amount=cart.lines.get().unit_amount
        )
        with self.assertRaises(placing.CartChanged):
            placing.place(cart, now=timezone.now())
        self.assertStock(scarce, 1)
        self.assertStock(plenty, 10)

    def test_stock_that_is_not_counted_is_not_taken(self) -> None:
        variant = a_variant(stock=None)
        order = an_order(variant, quantity=5)
        self.assertEqual(order.lines.get().stock_taken, 0)

    def test_stock_below_zero_is_refused_by_the_database(self) -> None:
        variant = a_variant(stock=1)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Variant.objects.filter(pk=variant.pk).update(stock=-1)

    def test_a_line_cannot_hold_more_than_it_sells(self) -> None:
        line = an_order().lines.get()
        with self.assertRaises(IntegrityError), transaction.atomic():
            OrderLine.objects.filter(pk=line.pk).update(stock_taken=line.quantity + 1)

    def test_crash_in_the_middle_leaves_nothing(self) -> None:
        variant = a_variant(stock=10)
        cart = a_cart(variant)
        with patch.object(lifecycle, "record", side_effect=RuntimeError), self.assertRaises(RuntimeError):
            placing.place(cart, now=timezone.now())
        self.assertStock(variant, 10)
        self.assertFalse(Order.objects.exists())
        self.assertFalse(NumberSeries.objects.filter(last__gt=0).exists())

    def test_numbers_follow_each_other(self) -> None:
        now = timezone.now()
        numbers = [placing.next_number(now) for _ in range(3)]
        self.assertEqual([number[-6:] for number in numbers], ["000001", "000002", "000003"])

    def test_amounts_add_up_whatever_the_price(self) -> None:
        for amount, quantity in ((1, 1), (3, 7), (99, 3), (4999, 2), (10**9 + 7, 9)):
            order = an_order(a_variant(amount=amount), quantity=quantity)
            base = order.goods_amount - order.discount_amount + order.delivery_amount
            included = order.tax_amount if base != sum(each["gross"] for each in order.taxes) else 0
            self.assertEqual(order.total_amount, base + included)
            self.assertEqual(order.total_amount, sum(each["net"] + each["tax"] for each in order.taxes))


class RaceTest(ConcurrentShoppingTestCase):
    def test_last_item_and_ten_buyers(self) -> None:
        variant = a_variant(stock=1)
        carts = [a_cart(variant) for _ in range(10)]
        results = at_once([lambda cart=cart: placing.place(cart, now=timezone.now()) for cart in carts])
        self.assertEqual(sum(isinstance(each, Order) for each in results), 1, results)
        self.assertEqual(sum(isinstance(each, placing.CartChanged) for each in results), 9, results)
        self.assertStock(variant, 0)

    def test_twelve_clicks_make_one_order(self) -> None:
        variant = a_variant(stock=10)
        cart = a_cart(variant)
        results = at_once([lambda: placing.place(cart, now=timezone.now())] * 12)
        self.assertEqual({getattr(each, "pk", each) for each in results}, {Order.objects.get().pk})
        self.assertStock(variant, 9)

    def test_numbers_are_never_given_twice(self) -> None:
        carts = [a_cart() for _ in range(8)]
        results = at_once([lambda cart=cart: placing.place(cart, now=timezone.now()) for cart in carts])
        numbers = sorted(order.number for order in results)
        self.assertEqual([int(number[-6:]) for number in numbers], list(range(1, 9)))

    def test_a_code_for_one_use_is_used_once_by_many_at_once(self) -> None:
        code = {"code": "ONCE", "percent": "10", "uses": 1}
        with patch.dict(SHOP["checkout"], coupons=[code]):
            carts = [a_cart() for _ in range(6)]
            for cart in carts:
                cart.coupon_code = "ONCE"
                cart.save()
            results = at_once([lambda cart=cart: placing.place(cart, now=timezone.now()) for cart in carts])
        self.assertTrue(all(isinstance(each, Order) for each in results), results)
        self.assertEqual(Order.objects.filter(coupon_code="ONCE").count(), 1)


class LifeTest(ShoppingTestCase):
    def test_stock_is_given_back_once(self) -> None:
        variant = a_variant(stock=10)
        order = an_order(variant, quantity=4)
        lifecycle.give_back_stock(order)
        lifecycle.give_back_stock(order)
        self.assertStock(variant, 10)

    def test_expired_order_frees_its_stock_exactly_once(self) -> None:
        variant = a_variant(stock=10)
        order = an_order(variant, quantity=4)
        late = timezone.now() + timedelta(days=30)
        self.assertEqual(engine.expire_due(late), 1)
        self.assertEqual(engine.expire_due(late), 0)
        self.assertState(order, "expired")
        self.assertStock(variant, 10)

    def test_cancel_before_payment_frees_the_stock(self) -> None:
        variant = a_variant(stock=10)
        order = an_order(variant)
        self.assertTrue(engine.cancel(order, actor="buyer", reason="buyer"))
        self.assertTrue(engine.cancel(order, actor="buyer", reason="buyer"))
        self.assertState(order, "cancelled")
        self.assertStock(variant, 10)

    def test_shipped_order_is_not_cancelled(self) -> None:
        order = an_order(method="invoice")
        engine.start(order, "invoice")
        lifecycle.ship(order, tracking_number="LP0001")
        self.assertFalse(engine.cancel(order, actor="buyer", reason="buyer"))
        self.assertState(order, "fulfilled")
        self.assertEqual(order.fulfilments.get().tracking_number, "LP0001")
        kind = "delivered" if lifecycle.is_collected(order) else "shipped"
        self.assertTrue(order.mails.filter(kind=kind).exists() or kind not in SHOP["mails"]["send"])

    def test_tables_of_states_are_complete(self) -> None:
        self.assertLessEqual(set(ORDER_MOVES), set(OrderState.values))
        for moves in ORDER_MOVES.values():
            self.assertLessEqual(set(moves), set(OrderState.values))
        self.assertLess(set(LIVE_ATTEMPT), set(AttemptState.values))

    def test_forbidden_move(self) -> None:
        with self.assertRaises(IllegalMove):
            check_move("fulfilled", "draft")


class LinkTest(ShoppingTestCase):
    def test_token_opens_its_order_only(self) -> None:
        first, second = an_order(), an_order()
        self.assertEqual(links.order_for(links.token(first)), first)
        forged = links.token(first).replace(first.number, second.number)
        for token in (forged, first.number, links.token(first)[:-1], ""):
            with self.assertRaises(Http404):
                links.order_for(token)

    def test_token_says_nothing_about_the_buyer(self) -> None:
        order = an_order()
        self.assertNotIn(order.email.split("@")[0], links.token(order))


class DatabaseTest(ShoppingTestCase):
    def test_sqlite_never_starts_a_transaction_that_cannot_write(self) -> None:
        if connection.vendor == "sqlite":
            self.assertEqual(connection.transaction_mode, "IMMEDIATE")
        else:
            self.assertEqual(connection.vendor, "postgresql")
