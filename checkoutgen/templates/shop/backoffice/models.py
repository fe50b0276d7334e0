import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none taken for another
_GROUPS, _GROUP = 6, 4  # 120 random bits: too many to guess from a digest, however fast that is made


class RecoveryCode(models.Model):
    """Signs a member of the staff in once, in place of the app on a lost telephone. Only a digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.made_at:%Y-%m-%d}"

    @classmethod
    def renew(cls, user: Any, count: int = 10) -> list[str]:
        """New codes in place of all earlier ones. They are shown now and never again."""
        codes = ["".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP)) for _ in range(count)]
        cls.objects.filter(user=user).delete()
        cls.objects.bulk_create(cls(user=user, digest=_digest(code)) for code in codes)
        return ["-".join(code[i : i + _GROUP] for i in range(0, len(code), _GROUP)) for code in codes]

    @classmethod
    def spend(cls, user: Any, typed: str) -> bool:
        """Whether it is one of the user's unused codes, which it is not any more afterwards."""
        plain = "".join(each for each in typed.lower() if each not in "- \t\u00a0")
        mine = cls.objects.filter(user=user, digest=_digest(plain), used_at=None)
        return mine.update(used_at=timezone.now()) == 1


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
