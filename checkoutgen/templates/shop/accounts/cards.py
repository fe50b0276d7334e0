"""What a customer has saved for the next purchase, and its removal."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common.http import SeeOther
from payments import saved, vault
from payments.models import SavedMethod


@login_required
@require_POST
def remove(request: HttpRequest, key: str) -> HttpResponse:
    """Gone from the account at once, and from the provider as soon as it answers."""
    mine = request.user.saved_methods.exclude(state=SavedMethod.State.REMOVED)
    row = get_object_or_404(mine, key=key)
    saved.remove(mine.filter(pk=row.pk))
    vault.forget(row)
    messages.success(request, _("%(card)s is removed.") % {"card": row})
    return SeeOther(reverse("accounts:home"))
