"""What search engines read: robots.txt, the sitemap, and the facts of a product as linked data."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override
from django.views.decorators.http import require_safe

from catalogue.categories import categories
from catalogue.models import Product, Variant
from catalogue.prices import Price
from common.money import to_decimal
from common.texts import localized
from common.urls import absolute, address
from config.shop import SHOP, market, section

# A buyer's own pages (RFC 9309). The pages of an order are not named here: they say noindex, which has to be read.
PRIVATE = ("/back-office/", "/*/cart/", "/*/checkout/", "/*/account/")
# What "</script>" and its like are made of, for JSON within a page.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&"}


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE), f"Sitemap: {absolute(reverse('sitemaps'))}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


@require_safe
def sitemaps(request: HttpRequest) -> HttpResponse:
    """The index: one sitemap a language (https://www.sitemaps.org/protocol.html, 50,000 addresses each)."""
    found = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            found.append(absolute(address("catalogue:sitemap")))
    return render(request, "catalogue/sitemaps.xml", {"addresses": found}, content_type="application/xml")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    found = [absolute(path) for path in _pages(request.LANGUAGE_CODE)]
    return render(request, "catalogue/sitemap.xml", {"addresses": found}, content_type="application/xml")


def _pages(language: str) -> Iterator[str]:
    yield address("catalogue:home")
    yield from (entry["url"] for entry in categories(language))
    for handle in Product.objects.filter(published=True).values_list("handle", flat=True):
        yield address("catalogue:product", handle)
    yield from (address("legal:page", page) for page in section("legal").get("pages") or {})


def linked_data(
    product: Product, variant: Variant, price: Price, market_code: str, pictures: list[Any], *, available: bool
) -> SafeString:
    """Product with its offer, and the way to it from the front page (https://schema.org/Product), as JSON."""
    here = absolute(product.get_absolute_url())
    offer = {
        "@type": "Offer",
        "url": here,
        "price": str(to_decimal(price.amount, price.currency)),
        "priceCurrency": price.currency,
        "availability": f"https://schema.org/{'InStock' if available else 'OutOfStock'}",
        "itemCondition": "https://schema.org/NewCondition",
        "areaServed": market_code,
        "seller": {"@type": "Organization", "name": SHOP["seller"]["legal_name"]},
    }
    if market(market_code)["prices"] == "net":
        offer["priceSpecification"] = {
            "@type": "UnitPriceSpecification",
            "price": offer["price"],
            "priceCurrency": price.currency,
            "valueAddedTaxIncluded": False,
        }
    facts = {
        "@type": "Product",
        "name": localized(product.title),
        "sku": variant.sku,
        "url": here,
        "image": [absolute(static(picture.path)) for picture in pictures],
        "brand": {"@type": "Brand", "name": product.vendor} if product.vendor else None,
        "category": _category(product),
        "offers": offer,
    }
    graph = [{key: value for key, value in facts.items() if value}, _way(product, here)]
    text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(_ESCAPED))  # noqa: S308  no sign of HTML is left


def _category(product: Product) -> str:
    entry = (section("catalogue").get("categories") or {}).get(product.category)
    return localized(entry["title"]) if entry else ""


def _way(product: Product, here: str) -> dict[str, Any]:
    steps = [(SHOP["shop"]["name"], absolute(address("catalogue:home")))]
    if title := _category(product):
        steps.append((title, absolute(address("catalogue:category", product.category))))
    steps.append((localized(product.title), here))
    items = [
        {"@type": "ListItem", "position": place, "name": name, "item": url}
        for place, (name, url) in enumerate(steps, start=1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}
