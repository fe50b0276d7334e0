"""References that a bank carries from the buyer's order to the seller's statement."""

from stdnum.iso7064 import mod_97_10

from orders.models import Order

_CARRY = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


def creditor_reference(order: Order) -> str:
    """ISO 11649, made of the order's number: RF, two check digits, the number."""
    plain = "".join(c for c in order.number.upper() if c.isascii() and c.isalnum())[-21:]
    return f"RF{mod_97_10.calc_check_digits(plain + 'RF')}{plain}"


def qr_reference(order: Order) -> str:
    """The 27 digits that a Swiss QR-IBAN asks for: year and number of the order, and a check digit."""
    digits = "".join(c for c in order.number if c in "0123456789")[-26:].zfill(26)
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """Modulo 10, recursive (Swiss Payment Standards, implementation guidelines QR-bill, annex B)."""
    carry = 0
    for digit in digits:
        carry = _CARRY[(carry + int(digit)) % 10]
    return str((10 - carry) % 10)


def read_qr(reference: str) -> tuple[str, str] | None:
    """Year and number of the order in a QR reference of this shop; None when it is wrong, or somebody else's."""
    if len(reference) != 27 or check_digit(reference[:-1]) != reference[-1]:
        return None
    digits = reference[:-1].lstrip("0")
    return (digits[:4], digits[4:]) if len(digits) >= 10 and digits.startswith("20") else None
