"""Secrets of the providers: the specification names environment variables, the values are read when needed."""

import os
from typing import Any

from config.shop import section


def options(provider: str) -> dict[str, Any]:
    """The provider's section of the specification."""
    return section("payment").get("providers", {}).get(provider) or {}


def variable(provider: str, name: str) -> str | None:
    """The environment variable behind a key written as `env:NAME`."""
    value = str(options(provider).get(name) or "")
    return value.removeprefix("env:") if value.startswith("env:") else None


def secret(provider: str, name: str) -> str:
    """The value of a secret; "" when its variable is not set (a system check says so before the shop starts)."""
    return os.environ.get(variable(provider, name) or "", "")
