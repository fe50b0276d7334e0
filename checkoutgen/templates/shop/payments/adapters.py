"""Finding a provider: its folder below payments/providers/ is all there is to register."""

from importlib import import_module
from typing import cast

from config.installed import PROVIDERS

from .facts import Adapter, Express, Fields, Saving


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


def fields(provider: str) -> Fields:
    """A provider's fields in the page; only for those whose schema says that they have some (`x-fields`)."""
    if provider not in PROVIDERS:
        raise UnknownProvider(provider)
    return cast("Fields", import_module(f"payments.providers.{provider}.fields"))


def express(provider: str) -> Express:
    """A provider's wallet in the cart; only for those whose schema says that they have one (`x-express`)."""
    if provider not in PROVIDERS:
        raise UnknownProvider(provider)
    return cast("Express", import_module(f"payments.providers.{provider}.express"))


def adapters() -> dict[str, Adapter]:
    return {name: adapter(name) for name in PROVIDERS}
