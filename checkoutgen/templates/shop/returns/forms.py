from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from checkout.fields import EmailField, LineField
from common.texts import localized
from orders.models import OrderLine

from .contracts import full_title


class FindForm(forms.Form):
    """How a guest names the contract."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"] = LineField(
            autocomplete="off",
            label=_("Order number"),
            help_text=_("It stands in the order confirmation."),
            missing=_("Enter the number of the order, as it stands in the order confirmation."),
        )
        self.fields["email"] = EmailField(help_text=_("The address that you ordered with."))


class StatementForm(forms.Form):
    """Who withdraws, from what, and where the receipt goes: no more than article 11a(2) allows to ask."""

    what = forms.ChoiceField(
        choices=[("whole", gettext_lazy("The whole order")), ("part", gettext_lazy("Only some of the items"))],
        initial="whole",
        error_messages={"required": gettext_lazy("Choose the whole order or some of its items.")},
    )

    def __init__(self, *args: Any, lines: Iterable[tuple[OrderLine, int]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(lines)
        self.fields["name"] = LineField(autocomplete="name", label=_("Full name"), missing=_("Enter your name."))
        self.fields["email"] = EmailField(help_text=_("The receipt of your withdrawal goes there."))
        for line, left in self.lines:
            self.fields[f"line-{line.pk}"] = forms.TypedChoiceField(
                label=localized(full_title(line)),
                choices=[(number, str(number)) for number in range(left + 1)],
                coerce=int,
                empty_value=0,
                initial=0,
                required=False,
                error_messages={"invalid_choice": _("Choose at most %(count)s of this item.") % {"count": left}},
            )

    def quantity_fields(self) -> list[forms.BoundField]:
        return [self[f"line-{line.pk}"] for line, _left in self.lines]

    def quantities(self) -> dict[int, int]:
        """Withdrawn units by order line."""
        if self.cleaned_data["what"] == "whole":
            return {line.pk: left for line, left in self.lines}
        chosen = {line.pk: self.cleaned_data.get(f"line-{line.pk}") or 0 for line, _left in self.lines}
        return {key: number for key, number in chosen.items() if number}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("what") == "part" and not self.errors and not self.quantities():
            raise ValidationError(_("Choose at least one item, or withdraw from the whole order."))
        return cleaned
