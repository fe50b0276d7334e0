"""Coupons that are over, end before they start, or name categories that no product has."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    used = {product.get("category") for _, product in case.each("catalogue.products[*]")}
    for path, coupon in case.each("checkout.coupons[*]"):
        starts, ends = coupon.get("starts") or "", coupon.get("ends") or ""
        if ends and starts > ends:
            yield Outcome(False, path, f"The coupon “{coupon['code']}” ends before it starts")
        elif ends and ends < case.day:
            yield Outcome(False, path, f"The coupon “{coupon['code']}” ran out on {ends}", "info")
        elif coupon.get("categories") and not used & set(coupon["categories"]):
            yield Outcome(False, path, f"No product is in the categories of the coupon “{coupon['code']}”")
