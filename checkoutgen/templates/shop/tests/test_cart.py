"""What a cart costs, and what its page can do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

from django.contrib.auth import get_user_model
from django.test import RequestFactory, SimpleTestCase, TestCase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cart import coupons, pricing, session
from cart.changes import check
from cart.models import Cart, CartLine
from cart.summary import summarize
from catalogue.models import Product, Variant
from catalogue.prices import price
from common.money import format_amount
from config.shop import HOME, MARKETS, SHOP
from tests.stall import CURRENCY, LANGUAGE, amount, open_stall

rates = st.sampled_from([Decimal(0), Decimal("2.1"), Decimal("5.5"), Decimal(7), Decimal(10), Decimal(19), Decimal(25)])
amounts = st.integers(0, 10_000_000)
line_strategy = st.builds(pricing.Line, st.integers(1, 999), amounts, rates, st.sampled_from(["", "bedding", "table"]))
coupon_strategy = st.builds(
    pricing.Coupon,
    st.just("CODE"),
    st.decimals(0, 100, places=1),
    amounts,
    st.booleans(),
    st.sets(st.sampled_from(["bedding", "table"])).map(frozenset),
)
market_strategy = st.builds(
    lambda prices, currency, rate: {"prices": prices, "currency": currency, "tax": {"standard": str(rate)}},
    st.sampled_from(["gross", "net"]),
    st.sampled_from(["EUR", "SEK", "JPY", "KWD"]),
    rates,
)

# A machine under load is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TotalsTest(SimpleTestCase):
    @patient
    @given(
        st.lists(line_strategy, max_size=6),
        market_strategy,
        st.none() | amounts,
        st.lists(coupon_strategy, max_size=2),
    )
    def test_everything_adds_up(self, lines, market, delivery, codes) -> None:
        t = pricing.totals(lines, market, delivery, codes)
        before_tax = t.goods - t.discount + t.delivery
        self.assertEqual(t.total, before_tax if market["prices"] == "gross" else before_tax + t.tax)
        self.assertEqual(sum(entry["tax"] for entry in t.taxes), t.tax)
        self.assertEqual(sum(entry["gross"] for entry in t.taxes), t.total)
        for entry in t.taxes:
            self.assertEqual(entry["net"] + entry["tax"], entry["gross"])
        self.assertEqual(sum(line.tax for line in t.lines) + t.delivery_tax, t.tax)
        self.assertEqual(sum(line.amount for line in t.lines), t.goods)
        self.assertEqual(sum(line.discount for line in t.lines), t.discount)
        self.assertEqual(sum(cut for _code, cut in t.discounts), t.discount)
        for line in t.lines:
            self.assertTrue(0 <= line.discount <= line.amount)
            self.assertTrue(line.tax >= 0)
        if any(code.free_delivery for code in codes) or delivery is None:
            self.assertEqual(t.delivery, 0)

    @patient
    @given(st.lists(line_strategy, min_size=1, max_size=5), market_strategy, amounts, st.integers(0, 100))
    def test_a_coupon_never_makes_dearer_and_more_goods_never_cheaper(self, lines, market, delivery, percent) -> None:
        plain = pricing.totals(lines, market, delivery)
        reduced = pricing.totals(lines, market, delivery, [pricing.Coupon("A", Decimal(percent))])
        more = pricing.totals([*lines[:-1], replace(lines[-1], quantity=lines[-1].quantity + 1)], market, delivery)
        # Tax is rounded per rate: moving delivery between rates can shift it by a unit each.
        slack = 0 if market["prices"] == "gross" else len(plain.taxes)
        self.assertLessEqual(reduced.total, plain.total + slack + reduced.delivery)
        self.assertEqual(reduced.discount, pricing.rounded(plain.goods * Decimal(percent) / 100))
        self.assertGreaterEqual(more.goods, plain.goods)

    @patient
    @given(st.integers(0, 10**9), st.lists(amounts, min_size=1, max_size=9))
    def test_allocation_is_complete_and_fair(self, whole, weights) -> None:
        parts = pricing.allocate(whole, weights)
        self.assertEqual(sum(parts), whole)
        if sum(weights):
            for part, weight in zip(parts, weights, strict=True):
                self.assertLess(abs(part - whole * weight / Decimal(sum(weights))), 1)

    def test_figures_worked_out_by_hand(self) -> None:
        gross = {"prices": "gross", "currency": "EUR", "tax": {"standard": "20"}}
        lines = [pricing.Line(2, 5000, Decimal(20)), pricing.Line(1, 1055, Decimal("5.5"))]
        t = pricing.totals(lines, gross, 590, [pricing.Coupon("TEN", Decimal(10))])
        # 110.55 - 11.06 (half up) + 5.90; discount 10.00 and 1.06, delivery 5.34 and 0.56: in proportion
        self.assertEqual((t.goods, t.discount, t.delivery, t.total), (11055, 1106, 590, 10539))
        self.assertEqual(
            t.taxes,
            (
                {"rate": "20", "net": 7945, "tax": 1589, "gross": 9534},
                {"rate": "5.5", "net": 953, "tax": 52, "gross": 1005},
            ),
        )
        net = {"prices": "net", "currency": "EUR", "tax": {"standard": "25"}}
        t = pricing.totals([pricing.Line(3, 1000, Decimal(25))], net, 500)
        self.assertEqual((t.tax, t.total), (875, 4375))


COUPONS = [
    {"code": "TEN", "percent": "10", "minimum": amount(3000)},
    {"code": "FIVE", "amount": amount(500), "stacks": True},
    {"code": "PORT", "free_delivery": True, "stacks": True},
    {"code": "OLD", "percent": "20", "ends": "2020-01-31"},
    {"code": "SOON", "percent": "20", "starts": "2999-01-31"},
    {"code": "ABROAD", "percent": "20", "markets": ["XX"]},
    {"code": "OTHER", "percent": "20", "categories": ["none"]},
]


def address(name: str, *args: str) -> str:
    with override(LANGUAGE):
        return reverse(f"cart:{name}", args=args)


class CartCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        open_stall()

    def setUp(self) -> None:
        patcher = patch.dict(SHOP["checkout"], coupons=COUPONS, minimum_order=None)
        patcher.start()
        self.addCleanup(patcher.stop)

    def add(self, sku: str = "SHEET", quantity: str = "1"):
        response = self.client.post(address("add"), {"sku": sku, "quantity": quantity})
        self.assertEqual(response.status_code, 303)
        return response

    def cart(self) -> Cart:
        return Cart.objects.get()

    def lines(self) -> dict[str, tuple[int, bool]]:
        return {line.sku: (line.quantity, line.saved_for_later) for line in self.cart().lines.all()}

    def post(self, name: str, **data: object):
        return self.client.post(address(name), {key: str(value) for key, value in data.items()})

    def page(self) -> str:
        response = self.client.get(address("show"))
        self.assertEqual(response.status_code, 200)
        return response.content.decode()


class CartPageTest(CartCase):
    def test_buyer_gets_one_cart_without_a_session(self) -> None:
        self.add()
        self.add("PILLOW", "2")
        self.assertEqual(self.lines(), {"SHEET": (1, False), "PILLOW": (2, False)})
        self.assertNotIn("session", "".join(self.client.cookies))
        self.assertNotIn(self.cart().key, "".join(self.client.get(address("show")).headers.values()))
        self.assertIn(format_amount(5900 + 2 * 2500, CURRENCY, LANGUAGE), self.page())

    def test_forged_cookie_opens_nothing(self) -> None:
        self.add()
        from django.conf import settings

        self.client.cookies[settings.CART_COOKIE_NAME] = self.cart().key
        self.assertNotIn("SHEET", self.page())

    def test_empty_cart(self) -> None:
        self.assertIn("<h1>", self.page())
        self.assertEqual(Cart.objects.count(), 0)

    def test_quantities(self) -> None:
        self.add()
        line = CartLine.objects.get()
        for data, quantity in (
            ({f"quantity-{line.pk}": "4"}, 4),
            ({"plus": line.pk}, 5),
            ({"minus": line.pk, f"quantity-{line.pk}": "5"}, 4),
            ({f"quantity-{line.pk}": "99"}, 10),  # there are ten
        ):
            self.assertEqual(self.post("update", **data).status_code, 303)
            self.assertEqual(self.lines()["SHEET"], (quantity, False))
        for typed in ("many", "-1", "1.5", "²", ""):
            response = self.post("update", **{f"quantity-{line.pk}": typed})
            self.assertContains(response, 'aria-invalid="true"', status_code=422)
            self.assertContains(response, f'value="{typed}"', status_code=422)
            self.assertEqual(self.lines()["SHEET"], (10, False))
        self.post("update", **{f"quantity-{line.pk}": "0"})
        self.assertEqual(self.lines(), {})

    def test_more_pieces_cost_less_where_the_specification_says_so(self) -> None:
        table = [
            {"product": "sheet", "from": 8, "price": amount(4000)},
            {"product": "sheet", "from": 3, "price": amount(5000)},
            {"product": "sheet", "sku": "OTHER", "from": 2, "price": amount(1)},
        ]
        with patch.dict(SHOP, business={"volume_prices": table}):
            sheet = Variant.objects.select_related("product").get(sku="SHEET")
            one, three, eight = (price(sheet, HOME, quantity).amount for quantity in (2, 7, 8))
            self.assertTrue(one > three > eight)
            self.add("SHEET", "2")
            line = CartLine.objects.get()
            shown = self.page()
            self.assertIn(format_amount(three, CURRENCY, LANGUAGE), shown)  # the next step
            for typed, paid in ((3, three), (9, eight), (4, three), (1, one)):
                self.post("update", **{f"quantity-{line.pk}": str(typed)})
                line.refresh_from_db()
                self.assertEqual((line.quantity, line.unit_amount), (typed, paid))
                self.assertEqual(check(self.cart()), [])  # a step is no change of price
            self.add("SHEET", "2")
            line.refresh_from_db()
            self.assertEqual((line.quantity, line.unit_amount), (3, three))
            page = self.client.get(sheet.product.get_absolute_url()).content.decode()
            for paid in (three, eight):
                self.assertIn(format_amount(paid, CURRENCY, LANGUAGE), page)
            Variant.objects.filter(sku="SHEET").update(stock=2)
            self.assertEqual({notice.kind for notice in check(self.cart())}, {"stock", "price"})
            line.refresh_from_db()
            self.assertEqual((line.quantity, line.unit_amount), (2, one))

    def test_remove_and_undo(self) -> None:
        self.add("PILLOW", "2")
        self.post("remove", line=CartLine.objects.get().pk)
        self.assertEqual(self.lines(), {})
        self.assertIn(address("undo"), self.page())
        self.post("undo")
        self.assertEqual(self.lines(), {"PILLOW": (2, False)})
        self.assertNotIn(address("undo"), self.page())

    def test_save_for_later_and_back(self) -> None:
        self.add("PILLOW", "3")
        line = CartLine.objects.get().pk
        self.post("later", line=line)
        self.assertEqual(self.lines(), {"PILLOW": (3, True)})
        Variant.objects.filter(sku="PILLOW").update(stock=1)
        self.post("later", line=line, back=1)
        self.assertEqual(self.lines(), {"PILLOW": (1, False)})

    def test_nobody_reaches_the_line_of_another_cart(self) -> None:
        self.add()
        line = CartLine.objects.get().pk
        other = self.client_class()
        other.post(address("add"), {"sku": "PILLOW"})
        for name in ("remove", "later"):
            other.post(address(name), {"line": line})
        other.post(address("update"), {f"quantity-{line}": "9", "plus": line})
        self.assertEqual(CartLine.objects.get(pk=line).quantity, 1)

    def test_what_cannot_be_added(self) -> None:
        for sku, quantity in (("NOPE", "1"), ("GONE", "1"), ("SHEET", "0"), ("SHEET", "x")):
            self.add(sku, quantity)
        self.assertEqual(CartLine.objects.count(), 0)
        self.assertIn('role="alert"', self.client.get(address("show")).content.decode())

    def test_every_change_is_a_post(self) -> None:
        for name in ("add", "update", "remove", "undo", "later", "coupon"):
            self.assertEqual(self.client.get(address(name)).status_code, 405)
            self.assertEqual(self.client_class(enforce_csrf_checks=True).post(address(name)).status_code, 403)

    def test_minimum_order(self) -> None:
        self.add("PILLOW")
        with patch.dict(SHOP["checkout"], minimum_order=amount(5000)):
            self.assertNotIn(reverse("checkout:start"), self.page())
        self.assertIn(reverse("checkout:start"), self.page())

    def test_continue_on_another_device(self) -> None:
        self.add("PILLOW", "2")
        cart = self.cart()
        cart.data = {"contact": {"email": "ada@byron.example"}}
        cart.save()
        with override(LANGUAGE):
            path = session.link(cart).partition("//")[2].partition("/")[2]
        other = self.client_class()
        for _ in range(2):
            self.assertEqual(other.get(f"/{path}").status_code, 303)
        mine = Cart.objects.exclude(pk=cart.pk).get()
        self.assertEqual([(line.sku, line.quantity) for line in mine.lines.all()], [("PILLOW", 2)])
        self.assertEqual(mine.data, {})
        self.assertEqual(other.get(address("continue", "forged")).status_code, 303)


class ChangesTest(CartCase):
    def kinds(self) -> list[str]:
        return [notice.kind for notice in check(self.cart())]

    def test_nothing_changed(self) -> None:
        self.add()
        self.assertEqual(self.kinds(), [])

    def test_price_changed(self) -> None:
        self.add()
        Variant.objects.filter(sku="SHEET").update(prices={CURRENCY: {"amount": 6100}})
        page = self.page()
        self.assertIn(format_amount(5900, CURRENCY, LANGUAGE), page)
        self.assertIn(format_amount(6100, CURRENCY, LANGUAGE), page)
        self.assertEqual(self.kinds(), [])  # said once, applied

    def test_less_stock_sold_out_and_vanished(self) -> None:
        self.add("SHEET", "4")
        self.add("PILLOW", "2")
        self.add("GIFT")
        Variant.objects.filter(sku="SHEET").update(stock=3)
        Variant.objects.filter(sku="PILLOW").update(stock=0)
        Product.objects.filter(handle="gift").update(published=False)
        self.assertEqual(self.kinds(), ["stock", "sold-out", "vanished"])
        self.assertEqual(self.lines(), {"SHEET": (3, False), "PILLOW": (2, True)})

    def test_deleted_variant_is_explained(self) -> None:
        self.add()
        Variant.objects.filter(sku="SHEET").delete()
        self.assertEqual(self.kinds(), ["vanished"])

    def test_expired_cart_keeps_the_articles(self) -> None:
        self.add()
        Cart.objects.update(updated_at=timezone.now() - session.lifetime() - timedelta(minutes=1))
        self.assertEqual(self.kinds(), ["expired"])
        self.assertEqual(self.lines(), {"SHEET": (1, True)})
        self.assertEqual(self.kinds(), [])

    def test_carts_are_forgotten(self) -> None:
        self.add()
        now = timezone.now()
        self.assertEqual(session.forget_old(now), 0)
        session.forget_old(now + timedelta(days=91))
        self.assertEqual(Cart.objects.count(), 0)


class CouponTest(CartCase):
    def code(self, code: str):
        return self.post("coupon", code=code)

    def test_code_counts_in_any_case_and_is_removed(self) -> None:
        self.add()
        self.assertEqual(self.code(" ten ").status_code, 303)
        self.assertEqual(summarize(self.cart()).totals.discount, 590)
        self.post("coupon", remove="TEN")
        self.assertEqual(summarize(self.cart()).totals.discount, 0)

    def test_each_refusal_names_its_reason(self) -> None:
        self.add("PILLOW")
        reasons = set()
        for code in ("", "NOPE", "TEN", "OLD", "SOON", "ABROAD", "OTHER"):
            response = self.code(code)
            self.assertEqual(response.status_code, 422)
            self.assertContains(response, f'id="code" name="code"', status_code=422)  # noqa: F541
            self.assertContains(response, f'value="{code}"', status_code=422)
            reasons.add(response.context["coupon_error"])
        self.assertEqual(len(reasons), 7)
        self.assertEqual(self.cart().coupon_code, "")

    def test_codes_that_stack_stand_together_and_others_give_way(self) -> None:
        self.add()
        self.code("FIVE")
        self.code("PORT")
        self.assertEqual(self.cart().coupon_code, "FIVE PORT")
        self.code("TEN")
        self.assertEqual(self.cart().coupon_code, "TEN")
        self.code("FIVE")
        self.assertEqual(self.cart().coupon_code, "FIVE")

    def test_code_by_link(self) -> None:
        response = self.client.get(f"/{LANGUAGE}/?coupon=ten&x=1")
        self.assertRedirects(response, f"/{LANGUAGE}/?x=1")
        self.add("PILLOW")
        self.assertEqual(summarize(self.cart()).coupons[0].refusal != "", True)  # too little yet, and said so
        self.add("SHEET")
        self.assertEqual(summarize(self.cart()).totals.discount, 840)
        self.assertEqual(self.client_class().get(f"/{LANGUAGE}/?coupon=NOPE").status_code, 200)
        self.assertEqual(Cart.objects.count(), 1)
        hostile = self.client_class().get("//evil.example/?coupon=TEN")
        self.assertFalse(hostile.headers.get("Location", "").startswith("//"))

    def test_code_is_checked_on_the_shops_calendar(self) -> None:
        self.add()
        entry = {"code": "DAY", "percent": "5", "starts": "2026-06-01", "ends": "2026-06-30"}
        zone = patch.dict(SHOP["shop"], timezone="Europe/Paris")
        with zone:
            for now, counts in (
                (datetime(2026, 5, 31, 21, 59, tzinfo=UTC), False),
                (datetime(2026, 5, 31, 22, 0, tzinfo=UTC), True),
                (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), True),
                (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), False),
            ):
                self.assertEqual(coupons.refusal(entry, self.cart(), [], now) == "", counts, now)


class MarketTest(CartCase):
    def test_the_cart_moves_along(self) -> None:
        other = next((code for code in MARKETS if MARKETS[code]["currency"] != CURRENCY), None)
        if other is None:
            self.skipTest("this shop sells in one currency only")
        self.add()
        Variant.objects.filter(sku="SHEET").update(
            prices={CURRENCY: {"amount": 5900}, MARKETS[other]["currency"]: {"amount": 67900}}
        )
        with override(LANGUAGE):
            self.client.post(reverse("catalogue:market"), {"market": other, "next": address("show")})
        cart = self.cart()
        self.assertEqual((cart.market, cart.currency), (other, MARKETS[other]["currency"]))
        self.assertEqual(cart.lines.get().unit_amount, 67900)
        self.assertEqual(check(cart), [])


class MergeTest(CartCase):
    def test_carts_of_two_devices_become_one(self) -> None:
        user = get_user_model().objects.create(**{get_user_model().USERNAME_FIELD: "ada@byron.example"})
        earlier = Cart.objects.create(user=user, market=HOME, language=LANGUAGE, currency=CURRENCY)
        for sku, quantity in (("SHEET", 3), ("GIFT", 1)):
            variant = Variant.objects.get(sku=sku)
            CartLine.objects.create(cart=earlier, variant=variant, sku=sku, quantity=quantity, unit_amount=1)
        request = RequestFactory().get("/")
        request.user = user
        here = session.open_cart(request)
        sheet = Variant.objects.get(sku="SHEET")
        CartLine.objects.create(cart=here, variant=sheet, sku="SHEET", quantity=1, unit_amount=5900)
        merged = session.merge(request, user)
        self.assertEqual(merged, here)
        self.assertEqual(merged.user, user)
        self.assertEqual({line.sku: line.quantity for line in merged.lines.all()}, {"SHEET": 3, "GIFT": 1})
        self.assertEqual(Cart.objects.count(), 1)

    def test_an_ordered_cart_is_never_opened_again(self) -> None:
        self.add()
        Cart.objects.update(ordered_at=timezone.now())
        self.assertNotIn('class="line"', self.page())
