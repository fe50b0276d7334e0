from importlib.util import find_spec

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from common.views import root

# Where the pages of an app stand below /<language>/. The catalogue owns the root, so it comes last.
PLACES = {
    "cart": "cart/",
    "checkout": "checkout/",
    "payments": "",
    "orders": "order/",
    "accounts": "account/",
    "legal": "",
    "returns": "withdraw/",
    "business": "business/",
    "catalogue": "",
}


def _has(module: str) -> bool:
    return find_spec(module) is not None


urlpatterns = [path("", root)]
# Without a language: webhooks, demo provider, back office, mailbox. An app lists them in urls_plain.py.
for app in settings.LOCAL_APPS:
    if _has(f"{app}.urls_plain"):
        urlpatterns.append(path("", include(f"{app}.urls_plain")))
if _has("custom.urls"):
    urlpatterns.append(path("", include("custom.urls")))
urlpatterns += i18n_patterns(
    *(
        path(place, include(f"{app}.urls"))
        for app, place in PLACES.items()
        if app in settings.LOCAL_APPS and _has(f"{app}.urls")
    )
)

handler400 = "common.views.bad_request"
handler403 = "common.views.forbidden"
handler404 = "common.views.not_found"
handler500 = "common.views.server_error"
