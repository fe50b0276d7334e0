"""The upload of a bank statement in the back office: first what it would do, then doing it."""

from collections import Counter
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from backoffice.lists import amount

from . import StatementError
from .matching import OUTCOMES, Line, reconcile

MAX_BYTES = 20 * 1024 * 1024  # longer ones are for `manage.py reconcile_statement`
SHOWN = 500


class StatementForm(forms.Form):
    file = forms.FileField(label=_("Bank statement (CAMT.053 or CSV)"), max_length=200)
    dry_run = forms.BooleanField(label=_("Only show what would happen"), required=False, initial=True)

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > MAX_BYTES:
            raise forms.ValidationError(_text("The file is too large: use manage.py reconcile_statement."))
        return file


def statement(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """`context`: what every page of the back office shows."""
    if not request.user.has_perm("orders.change_order"):
        raise PermissionDenied
    form = StatementForm(request.POST, request.FILES) if request.method == "POST" else StatementForm()
    lines: list[Line] = []
    counts: Counter[str] = Counter()
    if form.is_bound and form.is_valid():
        file, dry_run = form.cleaned_data["file"], form.cleaned_data["dry_run"]
        try:
            for line in reconcile(file, dry_run=dry_run):
                counts[line.outcome] += 1
                if len(lines) < SHOWN:
                    lines.append(line)
        except StatementError as wrong:
            form.add_error("file", _text("This file cannot be read: %(problem)s") % {"problem": wrong})
    report = {
        "form": form,
        "title": _text("Read a bank statement"),
        "lines": [_shown(line) for line in lines],
        "counts": [(OUTCOMES[outcome], count) for outcome, count in counts.items()],
        "more": sum(counts.values()) - len(lines),
        "tried": form.is_bound and not form.errors and form.cleaned_data["dry_run"],
    }
    return render(request, "admin/payments/statement.html", context | report, status=422 if form.errors else 200)


def _shown(line: Line) -> dict[str, Any]:
    entry, order = line.entry, line.order
    sum_ = amount(entry.amount if entry.credit else -entry.amount, entry.currency) if entry.amount is not None else "?"
    return {
        "day": entry.day,
        "amount": sum_,
        "outcome": OUTCOMES[line.outcome],
        "urgent": line.outcome in ("review", "unknown"),
        "order": order,
        "url": reverse("admin:orders_order_change", args=[order.pk]) if order else "",
        "text": "" if order else " · ".join(dict.fromkeys(entry.texts))[:120],
    }
