from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from backoffice.models import RecoveryCode


class Command(BaseCommand):
    help = "Forget the app and the recovery codes of a member of the staff, who sets up a new one at the next sign-in."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email")

    @transaction.atomic
    def handle(self, *args: Any, email: str, **options: Any) -> None:
        users = get_user_model()
        user = users.objects.filter(**{f"{users.USERNAME_FIELD}__iexact": email}).first()
        if user is None:
            raise CommandError(f"nobody signs in as {email}")
        TOTPDevice.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        self.stdout.write(f"{email} sets up a new second factor at the next sign-in")
