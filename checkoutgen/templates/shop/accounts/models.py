from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from orders.models import Order


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, email: str) -> "User":
        return self.get(email=normal_email(email))

    def create_user(self, email: str, password: str | None = None, **values: object) -> "User":
        user = self.model(email=normal_email(email), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **values: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **values)


def normal_email(email: str) -> str:
    """Mailboxes differ in case in theory only: the account is found whatever way the address is typed."""
    return email.strip().lower()


class User(AbstractBaseUser, PermissionsMixin):
    """A customer or a member of the staff. The mail address is the name to sign in with."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("full name"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=12, blank=True)
    # The delivery address of the last order, offered in the next one.
    address = models.JSONField(default=dict, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    # When a link sent to the mailbox came back: only then are the guest orders of that address shown.
    verified_at = models.DateTimeField(_("mailbox proven"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = UserManager()

    EMAIL_FIELD = USERNAME_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.email

    def remember(self, order: "Order") -> None:
        """Keep where the last order went, to offer it in the next one."""
        self.address, self.phone = order.shipping_address, order.phone
        self.name, self.language = order.shipping_address.get("name", ""), order.language
        self.save(update_fields=["address", "phone", "name", "language"])

    def join_orders(self) -> int:
        """Take in the guest orders of this mailbox, once it is proven. Returns how many came."""
        if self.verified_at is None:
            return 0
        from orders.models import Order

        return Order.objects.filter(user=None, email__iexact=self.email).update(user=self)


class SignInFailure(models.Model):
    """A failed sign-in, kept for 15 minutes to slow down guessing. `key` is a digest: no address is stored."""

    key = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key
