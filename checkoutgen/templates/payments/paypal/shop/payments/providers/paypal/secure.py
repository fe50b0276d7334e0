"""Whether 3-D Secure stands in the way of collecting from a card
(https://developer.paypal.com/docs/checkout/advanced/customize/3d-secure/response-parameters/)."""

from typing import Any


def refused(order: dict[str, Any]) -> bool:
    """The bank could not tell that it was the buyer: refused, failed, or its page did not work."""
    result = ((order.get("payment_source") or {}).get("card") or {}).get("authentication_result") or {}
    status = (result.get("three_d_secure") or {}).get("authentication_status")
    return status in ("N", "R", "U", "C") or result.get("liability_shift") == "UNKNOWN"
