"""The steps of the checkout, one module each, in the order of the specification.

A step has
    slug, title, template       its address, its heading, the partial that shows it
    forms(checkout, data)       its forms by name: bound to `data` when given, else filled with what the cart remembers
    value(checkout, forms)      what the cart remembers of valid forms
    is_complete(checkout)       whether what the cart remembers still holds
    context(checkout, forms)    what else the partial shows
"""

from importlib import import_module
from types import ModuleType

from config.shop import SHOP

STEPS: list[ModuleType] = [import_module(f"checkout.steps.{slug}") for slug in SHOP["checkout"]["steps"]]
BY_SLUG: dict[str, ModuleType] = {step.slug: step for step in STEPS}
