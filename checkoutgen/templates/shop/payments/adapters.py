"""Finding a provider: its folder below payments/providers/ is all there is to register."""

from importlib import import_module
from types import ModuleType
from typing import cast

from config.installed import PROVIDERS

from .facts import Adapter, Express, Fields, Saving


class UnknownProvider(LookupError):
    pass


def _part(provider: str, part: str) -> ModuleType:
    if provider not in PROVIDERS:
        raise UnknownProvider(provider)
    return import_module(f"payments.providers.{provider}.{part}")


def adapter(provider: str) -> Adapter:
    return cast("Adapter", _part(provider, "adapter"))


def saving(provider: str) -> Saving:
    """How a provider keeps ways to pay; only for those whose schema says that they do (`x-saves`)."""
    return cast("Saving", _part(provider, "saving"))


def fields(provider: str) -> Fields:
    """A provider's fields in the page; only for those whose schema says that they have some (`x-fields`)."""
    return cast("Fields", _part(provider, "fields"))


def express(provider: str) -> Express:
    """A provider's wallet in the cart; only for those whose schema says that they have one (`x-express`)."""
    return cast("Express", _part(provider, "express"))


def adapters() -> dict[str, Adapter]:
    return {name: adapter(name) for name in PROVIDERS}
