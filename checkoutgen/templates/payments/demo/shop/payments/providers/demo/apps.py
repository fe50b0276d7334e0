from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    name = "payments.providers.demo"
    label = "demo"
    verbose_name = _("Demo provider")

    def ready(self) -> None:
        from . import words

        words.give(self.get_models())
