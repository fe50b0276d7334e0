"""The page of the demo wallet: choose a person, see what the shop answers for the address, agree or leave."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_info, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.http import SeeOther
from common.money import format_amount

from . import bank
from .express import BEGUN, LIFE, PEOPLE, Person, agree


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, ref: str) -> HttpResponse:
    try:
        asked = signing.loads(ref, salt=BEGUN, max_age=LIFE) if bank.allowed() else None
    except signing.BadSignature:
        asked = None
    if asked is None:
        raise Http404(ref)
    with override(asked["language"]):
        return _page(request, ref, asked)


def _page(request: HttpRequest, ref: str, asked: dict[str, Any]) -> HttpResponse:
    chosen = request.POST if request.method == "POST" else request.GET
    person = next((each for each in PEOPLE if each.id == chosen.get("person")), None)
    answer = _quote(asked["quote"], person, chosen.get("option", "")) if person else None
    if request.method == "POST":
        if person is None or "leave" in request.POST:
            return SeeOther(asked["back"])
        # Where the shop has no answer the buyer may still go back with the address, as with wallets that do not ask.
        amount = answer["total"] if answer else 0
        agreed = agree(ref, person, chosen.get("option", ""), amount)
        return SeeOther(f"{asked['back']}?{urlencode({'agreed': agreed})}")
    language = asked["language"]
    return render(
        request,
        "demo/wallet.html",
        {
            "language": language,
            "direction": "rtl" if get_language_info(language)["bidi"] else "ltr",
            "amount": format_amount(asked["amount"], asked["currency"], language),
            "people": PEOPLE,
            "person": person,
            "answer": answer,
            "options": [
                each | {"price": format_amount(each["amount"], asked["currency"], language)}
                for each in (answer or {}).get("options", [])
            ],
            "total": format_amount(answer["total"], asked["currency"], language) if answer else "",
        },
    )


def _quote(url: str, person: Person, option: str) -> dict[str, Any] | None:
    """Asks the shop over HTTP, as a provider does; None when it does not deliver there or does not answer."""
    body = json.dumps({"country": person.address["country"], "option": option}).encode()
    if not url.startswith(("http://", "https://")):
        return None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  scheme checked above
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            answer: dict[str, Any] = json.loads(response.read(100_000))
            return answer
    except (OSError, ValueError, urllib.error.HTTPError):
        return None
