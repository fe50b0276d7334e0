"""Deeds: what a person may do with a record that nobody edits, each on a page of its own that works without script."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from common.http import SeeOther

from .lists import ReadOnly


class DeedForm(forms.Form):
    """What has to be known to do it; `about` is the record."""

    def __init__(self, *args: Any, about: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@dataclass(frozen=True)
class Deed:
    label: str | Promise
    explains: str | Promise
    form: type[DeedForm]
    is_open: Callable[[Any], bool]
    do: Callable[[Any, dict[str, Any], str], str]  # record, cleaned data, actor -> what went wrong, "" for nothing


class DeedsAdmin(ReadOnly, admin.ModelAdmin):
    """Records with deeds, for those who may change `deeds_permission`; `<app>_<model>_do` is the address of a deed."""

    deeds: dict[str, Deed]
    deeds_permission: str
    change_form_template = "admin/deeds.html"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.deed)
        return [path("<path:pk>/do/<slug:name>/", view, name=self._address("do")), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        open_deeds = [
            {"label": deed.label, "url": reverse(f"admin:{self._address('do')}", args=[record.pk, name])}
            for name, deed in self.deeds.items()
            if record and deed.is_open(record)
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "deeds": open_deeds})

    def deed(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        self._ask_leave(request)
        record = get_object_or_404(self.model, pk=pk) if pk.isdecimal() else None
        deed = self.deeds.get(name)
        if record is None or deed is None:
            raise Http404
        back = reverse(f"admin:{self._address('change')}", args=[record.pk])
        if not deed.is_open(record):
            messages.warning(request, _("This is not possible any more."))
            return SeeOther(back)
        form = deed.form(request.POST if request.method == "POST" else None, about=record)
        if form.is_bound and form.is_valid():
            self.do(request, record, deed, form.cleaned_data)
            return SeeOther(back)
        context = {
            **self.admin_site.each_context(request),
            "deed": deed,
            "form": form,
            "record": record,
            "summary": self.summary(record),
            "back": back,
            "list": reverse(f"admin:{self._address('changelist')}"),
            "records": self.opts.verbose_name_plural,
            "title": f"{record}: {deed.label}",
        }
        return render(request, "admin/deed.html", context)

    def summary(self, record: Any) -> str:
        """What somebody looks at once more before they press the button."""
        return ""

    def do(self, request: HttpRequest, record: Any, deed: Deed, data: dict[str, Any]) -> None:
        problem = deed.do(record, data, request.user.get_username())
        if problem:
            messages.error(request, f"{record}: {problem}")
        else:
            self.log_change(request, record, str(deed.label))
            messages.success(request, f"{record}: {deed.label}")

    def do_all(self, request: HttpRequest, queryset: Any, name: str, data: dict[str, Any]) -> None:
        self._ask_leave(request)
        deed = self.deeds[name]
        for record in queryset:
            if deed.is_open(record):
                self.do(request, record, deed, data)
            else:
                messages.warning(request, f"{record}: {_('This is not possible any more.')}")

    def _ask_leave(self, request: HttpRequest) -> None:
        if not request.user.has_perm(self.deeds_permission):
            raise PermissionDenied

    def _address(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"
