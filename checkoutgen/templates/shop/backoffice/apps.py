from django.apps import AppConfig
from django.contrib.admin import apps
from django.utils.translation import gettext_lazy as _


class SiteConfig(apps.AdminConfig):
    default = False
    default_site = "backoffice.site.BackOffice"


class BackofficeConfig(AppConfig):
    default = True
    name = "backoffice"
    verbose_name = _("Back office")

    def ready(self) -> None:
        from django.apps import apps
        from django.contrib import admin

        from config.shop import SHOP

        from . import checks  # noqa: F401 (registers the system check)
        from .words import name_fields

        name_fields(apps.get_models())

        admin.site.site_header = admin.site.site_title = SHOP["shop"]["name"]
        admin.site.index_title = _("Back office")
        admin.site.empty_value_display = "–"
