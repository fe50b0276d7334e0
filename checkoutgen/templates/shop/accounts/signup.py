"""New accounts. What a visitor sees never tells whether an address has one already."""

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import links
from accounts.models import User, normal_email
from orders.models import Order


@transaction.atomic
def sign_up(email: str, password: str, language: str, order: Order | None = None) -> User | None:
    """Open an account and send the link that proves the mailbox; a known address gets a link to a new password.

    Nobody is signed in by this, and guest orders join only after the link was opened with the password: who registers
    somebody else's address gains nothing. The order it was opened from belongs to it at once. Returns the new account,
    None for a known address.
    """
    hashed = make_password(password)  # in both cases, so that the time tells nothing
    user, new = User.objects.get_or_create(
        email=normal_email(email), defaults={"password": hashed, "language": language}
    )
    if not new:
        links.send_password_reset(user, language)
        return None
    links.send_verification(user, language)
    if order is not None:
        user.remember(order)
        Order.objects.filter(pk=order.pk, user=None).update(user=user)
    return user
