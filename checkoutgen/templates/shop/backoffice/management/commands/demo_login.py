import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Make, or give a new password to, a member of the staff who may do everything. Development only."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--email", default="staff@example.com")
        parser.add_argument("--password", help="default: a random one, printed once")

    def handle(self, *args: Any, email: str, password: str | None, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("This is for development (DEBUG=1). In production use: manage.py createsuperuser")
        password = password or secrets.token_urlsafe(12)
        users = get_user_model()
        user = users.objects.filter(**{users.USERNAME_FIELD: email}).first()
        if user is None:
            names = {} if users.USERNAME_FIELD == "email" else {"email": email}
            user = users.objects.create_superuser(**{users.USERNAME_FIELD: email}, password=password, **names)
        user.is_staff = user.is_superuser = user.is_active = True
        user.set_password(password)
        user.save()
        self.stdout.write(f"{settings.PUBLIC_URL}/back-office/  {email}  {password}")
