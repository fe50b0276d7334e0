from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backoffice.lists import ReadOnly

from .models import OutboxMail
from .sending import send_again


class StageFilter(admin.SimpleListFilter):
    title = _("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin) -> list:
        return [("due", _("to be sent")), ("sent", _("sent")), ("aside", _("set aside"))]

    def queryset(self, request: HttpRequest, queryset):
        match self.value():
            case "due":
                return queryset.filter(sent_at=None, due_at__isnull=False)
            case "sent":
                return queryset.filter(sent_at__isnull=False)
            case "aside":
                return queryset.filter(sent_at=None, due_at=None)
        return queryset


@admin.register(OutboxMail)
class OutboxMailAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["kind", "to", "order", "language", "created_at", "due_at", "sent_at", "tries", "error"]
    list_filter = [StageFilter, "kind"]
    search_fields = ["to", "order__number", "message_id"]
    list_select_related = ["order"]
    actions = ["again"]

    @admin.action(description=_("Send again what was set aside"), permissions=["view"])
    def again(self, request: HttpRequest, queryset) -> None:
        count = send_again(queryset)
        words = ngettext("%(count)d mail is sent again.", "%(count)d mails are sent again.", count)
        messages.success(request, words % {"count": count})
