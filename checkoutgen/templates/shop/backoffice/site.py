"""The back office as a site of Django's admin that asks for a second factor."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import throttle
from common.http import SeeOther

from . import second_factor


class SignInForm(AdminAuthenticationForm):
    """Guessing is slowed down as it is for customers."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username") or "")
        if self.request is not None and throttle.blocked(self.request, name):
            raise ValidationError(_("Too many tries. Wait 15 minutes and try again."))
        try:
            return super().clean()
        except ValidationError:
            if self.request is not None:
                throttle.failed(self.request, name)
            raise


class BackOffice(AdminSite):
    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        return self.is_staff(request) and second_factor.is_given(request)

    def is_staff(self, request: HttpRequest) -> bool:
        """Signed in by password, and allowed in here."""
        return super().has_permission(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.is_staff(request) and not self.has_permission(request):
            query = urlencode({"next": second_factor.inside(request.GET.get("next", ""))})
            return SeeOther(f"{reverse('admin:second-factor')}?{query}")
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        shown = settings.BACK_OFFICE_SECOND_FACTOR and self.has_permission(request)
        return super().each_context(request) | {"second_factor": shown}

    def get_urls(self) -> list:
        own = [
            path("second-factor/", second_factor.ask, name="second-factor"),
            path("second-factor/set-up/", second_factor.set_up, name="second-factor-set-up"),
            path("second-factor/codes/", second_factor.codes, name="second-factor-codes"),
        ]
        return [*own, *super().get_urls()]
