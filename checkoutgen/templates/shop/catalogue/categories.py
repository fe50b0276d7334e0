from functools import cache

from django.urls import reverse
from django.utils.translation import override

from common.texts import localized
from config.shop import section


@cache
def categories(language: str) -> list[dict[str, str]]:
    """The categories in the order of the specification: id, title, description, url."""
    with override(language):
        return [
            {
                "id": key,
                "title": localized(entry["title"]),
                "description": localized(entry.get("description")),
                "url": reverse("catalogue:category", args=[key]),
            }
            for key, entry in (section("catalogue").get("categories") or {}).items()
        ]
