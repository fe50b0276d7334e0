"""Why a payment did not happen, in the buyer's words. Providers map their own codes to these."""

from django.utils.translation import gettext_lazy as _

_TEXTS = {
    "declined": _("The bank declined the payment."),
    "insufficient_funds": _("The bank declined the payment because the balance is too low."),
    "expired_card": _("The card has expired."),
    "authentication_failed": _("The bank could not confirm that it was you."),
    "cancelled": _("The payment was cancelled."),
    "expired": _("The payment was not finished in time."),
    "provider_down": _("The payment service does not answer at the moment."),
    "token_gone": _("What you saved cannot be used any more. Choose another way to pay."),
    "method_unavailable": _("This way to pay is not available for this order."),
}


def text(code: str) -> str:
    """One sentence for a failure code; unknown codes say that the payment did not go through."""
    return str(_TEXTS.get(code) or _("The payment did not go through."))
