"""What stands in the frame of the demo provider's fields, and the address that it sends what was typed to."""

import re

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from . import bank
from .cards import accounts, find
from .fields import tokenise


def _asked(request: HttpRequest) -> tuple[str, str]:
    """Kind and language as the address names them."""
    kind, language = request.GET.get("kind", ""), request.GET.get("language", "")
    if not bank.allowed() or kind not in ("card", "sepa-debit") or language not in dict(settings.LANGUAGES):
        raise Http404(kind)
    return kind, language


@require_safe
@csp_replace({"frame-ancestors": [SELF], "connect-src": [SELF], "form-action": [NONE]})
@xframe_options_sameorigin
def frame(request: HttpRequest) -> HttpResponse:
    kind, language = _asked(request)
    context = {
        "kind": kind,
        "language": language,
        "direction": "rtl" if get_language_info(language)["bidi"] else "ltr",
        "accounts": accounts(kind),
    }
    with override(language):
        return render(request, "demo/frame.html", context)


@csrf_exempt  # nothing of the buyer's is here: no cookie comes out of the sandbox, and none would be read
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A token for a test number, or what is wrong by field. Only for the frame: its origin is nobody's, hence the *."""
    kind, language = _asked(request)
    with override(language):
        wrong = _wrong(kind, request.POST.dict())
    account = find(kind, request.POST.get("number", ""))
    answer = JsonResponse({"errors": wrong} if wrong or account is None else {"token": tokenise(account)})
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wrong(kind: str, typed: dict[str, str]) -> dict[str, str]:
    wrong = {}
    if find(kind, typed.get("number", "")) is None:
        wrong["number"] = _("This is not one of the test numbers below. No other number is accepted here.")
    if kind == "card":
        expiry = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/?\s*(?:20)?([0-9]{2})\s*", typed.get("expiry", ""), re.ASCII)
        today = timezone.localdate()
        if expiry is None:
            wrong["expiry"] = _("Enter month and year, like 12/30.")
        elif (2000 + int(expiry[2]), int(expiry[1])) < (today.year, today.month):
            wrong["expiry"] = _("The card has expired.")
        if not re.fullmatch(r"\s*[0-9]{3,4}\s*", typed.get("code", ""), re.ASCII):
            wrong["code"] = _("Enter the three digits, like 123.")
    return wrong
