from django.core.checks import Error, register
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from config.shop import SHOP

PARTS = ("subject.txt", "body.txt", "body.html")


@register("mails")
def templates_are_there(app_configs, **kwargs) -> list[Error]:
    """A mail without a template would only be noticed when it is due."""
    wanted = [f"mails/{kind}/{part}" for kind in SHOP["mails"]["send"] for part in PARTS]
    return [
        Error(
            f"The template {name} is missing.",
            hint="Build the shop again, or take the mail out of mails.send.",
            id="mails.E001",
        )
        for name in wanted
        if not _exists(name)
    ]


def _exists(name: str) -> bool:
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return False
    return True
