from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security)
def second_factor(**_: Any) -> list[Error]:
    """backoffice.E001: a password alone would open the back office in production."""
    if settings.DEVELOPMENT or settings.BACK_OFFICE_SECOND_FACTOR:
        return []
    hint = "Leave BACK_OFFICE_SECOND_FACTOR out of the environment: only development (DEBUG=1) may switch it off."
    return [Error("The back office asks for no second factor.", hint=hint, id="backoffice.E001")]
