"""A shop whose providers lack their credentials does not start to sell."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from config.installed import PROVIDERS

from . import credentials


@register(Tags.security)
def providers(**_: Any) -> list:
    """payments.E001: a credential is missing. payments.E002: play money in production."""
    found: list = []
    problem = Warning if settings.DEVELOPMENT else Error
    for provider in PROVIDERS:
        for key in credentials.options(provider):
            name = credentials.variable(provider, key)
            if name and not os.environ.get(name) and not (provider == "demo" and settings.DEVELOPMENT):
                hint = f"Set the environment variable {name} (payment.providers.{provider}.{key} in the specification)."
                found.append(problem(f"{provider} has no {key}.", hint=hint, id="payments.E001"))
    if "demo" in PROVIDERS and not settings.DEVELOPMENT and os.environ.get("ALLOW_DEMO_PROVIDER") != "1":
        hint = "Choose a real provider in payment.methods, or set ALLOW_DEMO_PROVIDER=1 on a test system."
        found.append(Error("The demo provider takes no money.", hint=hint, id="payments.E002"))
    return found
