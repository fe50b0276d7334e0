from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "payments.providers.demo"
    label = "demo"
    verbose_name = "Demo provider"
