"""Links in mails that prove a mailbox."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.urls import reverse
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import override

from accounts.models import User
from common.urls import absolute
from mails.outbox import enqueue

SALT = "accounts.verify"
VERIFY_AGE = timedelta(days=3)


def _address(name: str, args: list[str], language: str) -> str:
    with override(language):
        return absolute(reverse(name, args=args))


def send_verification(user: User, language: str) -> None:
    """A mail with a link; who opens it and knows the password has proven the mailbox."""
    token = signing.dumps([user.pk, user.email], salt=SALT)
    enqueue(
        "verify-email",
        to=user.email,
        language=language,
        key=f"verify-email:{token}",
        context={
            "url": _address("accounts:verify", [token], language),
            "hours": int(VERIFY_AGE.total_seconds()) // 3600,
        },
    )


def user_to_verify(token: str) -> User | None:
    try:
        pk, email = signing.loads(token, salt=SALT, max_age=VERIFY_AGE)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=pk, email=email, is_active=True).first()


def send_password_reset(user: User, language: str) -> None:
    """A mail with a link to choose a new password; it works once."""
    uid, token = urlsafe_base64_encode(str(user.pk).encode()), default_token_generator.make_token(user)
    enqueue(
        "password-reset",
        to=user.email,
        language=language,
        key=f"password-reset:{uid}:{token}",
        context={
            "url": _address("accounts:password-set", [uid, token], language),
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        },
    )


def user_to_reset(uid: str, token: str) -> User | None:
    try:
        user = User.objects.filter(pk=force_str(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return user if user is not None and default_token_generator.check_token(user, token) else None


def send_account_created(user: User, language: str) -> None:
    enqueue(
        "account-created",
        to=user.email,
        language=language,
        key=f"account-created:{user.pk}",
        context={"url": _address("accounts:home", [], language)},
    )
