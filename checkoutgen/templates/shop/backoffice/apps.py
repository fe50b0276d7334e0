from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = _("Back office")

    def ready(self) -> None:
        from django.contrib import admin

        from config.shop import SHOP

        admin.site.site_header = admin.site.site_title = SHOP["shop"]["name"]
        admin.site.index_title = _("Back office")
        admin.site.empty_value_display = "–"
