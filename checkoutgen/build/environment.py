"""What a made shop reads from the environment: the spec names the variables, and nobody builds secrets into a shop."""

from __future__ import annotations

from typing import Any

from checkoutgen.build.select import providers

Data = dict[str, Any]


def notes(data: Data) -> list[str]:
    """A line for each secret of the payment providers. The demo provider makes its own where it may run."""
    return [
        f"note: the shop needs {value.removeprefix('env:')} in its environment (payment.providers.{provider}.{key})"
        for provider in providers(data)
        if provider != "demo"
        for key, value in (data["payment"]["providers"].get(provider) or {}).items()
        if isinstance(value, str) and value.startswith("env:")
    ]
