"""The second factor of the staff: a code from an app (TOTP, RFC 6238), or a recovery code when the telephone is lost.

Verification lasts as long as the session, and neither a new password nor a reset one takes its place.
"""

import logging
from base64 import b32encode
from collections.abc import Callable
from functools import wraps
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import DEVICE_ID_SESSION_KEY, login, verify_token
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import throttle
from common.http import SeeOther

from .models import RecoveryCode

logger = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


def is_given(request: HttpRequest) -> bool:
    """Whether the second factor is switched off, or was given in this session."""
    return not settings.BACK_OFFICE_SECOND_FACTOR or _device_of(request) is not None


def _device_of(request: HttpRequest) -> Device | None:
    """The app that this session was verified with; asked once a request."""
    if not hasattr(request, "_second_factor"):
        name = request.session.get(DEVICE_ID_SESSION_KEY)
        device = Device.from_persistent_id(name) if name else None
        mine = device is not None and device.user_id == request.user.pk and device.confirmed
        request._second_factor = device if mine else None  # type: ignore[attr-defined]
    found: Device | None = request._second_factor  # type: ignore[attr-defined]
    return found


def inside(address: str) -> str:
    """An address of the back office as it is, any other as its first page."""
    start = reverse("admin:index")
    safe = address.startswith(start) and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if safe else start


def _staff_only(view: View) -> View:
    """For people who signed in by password, whether or not the second factor was given."""

    @never_cache
    @sensitive_post_parameters("code")
    @wraps(view)
    def page(request: HttpRequest) -> HttpResponse:
        if not admin.site.is_staff(request):  # type: ignore[attr-defined]
            return SeeOther(reverse("admin:login"))
        return view(request)

    return page


def _render(request: HttpRequest, template: str, status: int = 200, **values: Any) -> HttpResponse:
    context = admin.site.each_context(request) | values
    return render(request, f"backoffice/second_factor/{template}.html", context, status=status)


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code from your app, or a recovery code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )


class AppCodeForm(CodeForm):
    code = forms.RegexField(
        r"\A[0-9]{3} ?[0-9]{3}\Z",
        label=gettext_lazy("Code from your app (6 digits)"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
        error_messages={"invalid": gettext_lazy("Enter the 6 digits that the app shows.")},
    )


def _apps(user: Any) -> Any:
    return TOTPDevice.objects.devices_for_user(user, confirmed=True)


@require_http_methods(["GET", "HEAD", "POST"])
@_staff_only
def ask(request: HttpRequest) -> HttpResponse:
    user, to = request.user, inside(request.GET.get("next", ""))
    if is_given(request):
        return SeeOther(to)
    app = _apps(user).first()
    if app is None:
        return SeeOther(reverse("admin:second-factor-set-up"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and throttle.blocked(request, user.get_username(), "second-factor"):
        form.add_error("code", _("Too many tries. Wait 15 minutes and try again."))
    elif form.is_valid():
        typed = form.cleaned_data["code"]
        if _is_right(request, app, typed):
            login(request, app)
            request.session.cycle_key()
            return SeeOther(to)
        throttle.failed(request, user.get_username(), "second-factor")
        logger.warning("wrong second factor of user %s", user.pk)
        form.add_error(
            "code", _("This code is not right, or was used already. The app shows a new one every 30 seconds.")
        )
    return _render(request, "ask", 422 if form.errors else 200, form=form, title=_("Second factor"))


def _is_right(request: HttpRequest, app: TOTPDevice, typed: str) -> bool:
    digits = typed.replace(" ", "")
    if len(digits) == app.digits and digits.isascii() and digits.isdigit():
        return verify_token(request.user, app.persistent_id, digits) is not None
    if not RecoveryCode.spend(request.user, typed):
        return False
    left = request.user.recovery_codes.filter(used_at=None).count()
    text = ngettext("%(count)s recovery code is left.", "%(count)s recovery codes are left.", left) % {"count": left}
    advice = _("If your telephone is lost, set up the app on the new one now.")
    messages.warning(request, f"{text} {advice}")
    logger.warning("user %s signed in with a recovery code", request.user.pk)
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@_staff_only
def set_up(request: HttpRequest) -> HttpResponse:
    """A new app: the first one right after the password, another one only for who has given the second factor."""
    user = request.user
    if _apps(user).exists() and not is_given(request):
        return SeeOther(reverse("admin:second-factor"))
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    device = device or TOTPDevice.objects.create(user=user, confirmed=False, name="app")
    form = AppCodeForm(request.POST or None)
    if form.is_valid():
        if verify_token(user, device.persistent_id, form.cleaned_data["code"].replace(" ", "")):
            return _render(request, "codes", codes=_confirm(request, device), title=_("Recovery codes"))
        form.add_error("code", _("This code is not right. Check that the clock of your telephone is."))
    secret = b32encode(device.bin_key).decode()
    drawn = segno.make_qr(device.config_url, error="m").svg_inline(border=2, scale=4, svgclass=None, lineclass=None)
    values = {
        "form": form,
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "address": device.config_url,
        "drawn": mark_safe(drawn),  # noqa: S308  modules only
        "title": _("Set up the second factor"),
    }
    return _render(request, "set_up", 422 if form.errors else 200, **values)


@transaction.atomic
def _confirm(request: HttpRequest, device: TOTPDevice) -> list[str]:
    TOTPDevice.objects.filter(user=request.user).exclude(pk=device.pk).delete()
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    login(request, device)
    request.session.cycle_key()
    logger.warning("user %s set up a second factor", request.user.pk)
    return RecoveryCode.renew(request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@_staff_only
def codes(request: HttpRequest) -> HttpResponse:
    """How many recovery codes are left, and new ones in their place."""
    if not is_given(request):
        return SeeOther(reverse("admin:second-factor"))
    if request.method == "POST":
        return _render(request, "codes", codes=RecoveryCode.renew(request.user), title=_("Recovery codes"))
    left = request.user.recovery_codes.filter(used_at=None).count()
    return _render(request, "codes", left=left, title=_("Recovery codes"))
