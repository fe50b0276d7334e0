from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User, normal_email
from checkout.fields import EmailField


class PasswordField(forms.CharField):
    """`autocomplete` is current-password or new-password, so that password managers fill and offer."""

    def __init__(self, *, autocomplete: str, **options: Any) -> None:
        super().__init__(
            strip=False,
            max_length=256,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
            error_messages={
                "required": _("Enter a password."),
                "max_length": _("Choose a password of at most %(limit_value)d characters: it has %(show_value)d."),
            },
            **options,
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}  # no maxlength: it would cut a pasted password without a word


class SignInForm(forms.Form):
    email = EmailField()
    password = PasswordField(autocomplete="current-password", label=_("Password"))


class EmailForm(forms.Form):
    email = EmailField()


class ConfirmForm(forms.Form):
    password = PasswordField(autocomplete="current-password", label=_("Password"))


class NewPasswordForm(forms.Form):
    """One password field; `email` is what the password must not resemble."""

    password = PasswordField(autocomplete="new-password", label=_("Password"))

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = password_validators_help_texts()[0]

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        email = self.email or self.cleaned_data.get("email", "")
        try:
            validate_password(password, User(email=normal_email(email)))
        except ValidationError as refused:
            raise ValidationError(" ".join(refused.messages)) from None
        return password


class RegisterForm(NewPasswordForm):
    email = EmailField()

    field_order = ("email", "password")
