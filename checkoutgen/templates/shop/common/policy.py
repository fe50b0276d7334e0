from functools import cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_MARK = "NONCE"


@cache
def _policy(nonce: str | None) -> str:
    return build_policy(nonce=nonce)


class PolicyMiddleware(CSPMiddleware):
    """Puts the policy of the settings together once: from page to page only the nonce changes."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        nonce = getattr(request, "_csp_nonce", None)
        own = any(name.startswith("_csp_") for name in vars(response))  # by a decorator of the view
        if own or settings.DEBUG or hasattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY"):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _policy(_MARK if nonce else None).replace(_MARK, nonce or ""))
        return response
