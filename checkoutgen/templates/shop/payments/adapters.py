"""Finding a provider: its folder below payments/providers/ is all there is to register."""

from importlib import import_module
from typing import cast

from config.installed import PROVIDERS

from .facts import Adapter, Saving


class UnknownProvider(LookupError):
    pass


def adapter(provider: str) -> Adapter:
    if provider not in PROVIDERS:
        raise UnknownProvider(provider)
    return cast("Adapter", import_module(f"payments.providers.{provider}.adapter"))


def saving(provider: str) -> Saving:
    """How a provider keeps ways to pay; only for those whose schema says that they do (`x-saves`)."""
    if provider not in PROVIDERS:
        raise UnknownProvider(provider)
    return cast("Saving", import_module(f"payments.providers.{provider}.saving"))


def adapters() -> dict[str, Adapter]:
    return {name: adapter(name) for name in PROVIDERS}
