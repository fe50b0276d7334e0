"""Form fields that accept what people type and say, where they cannot, what is wrong and what to write instead."""

import difflib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LONGEST_LINE = 80
# Directional overrides make a name read differently in a mail from what it is (Unicode TR 36, 2.7).
OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
URL = re.compile(r"://|\bwww\.", re.IGNORECASE)
# Mailboxes most people have; a near miss is pointed out, never refused.
MAIL_DOMAINS = (
    "gmail.com", "googlemail.com", "hotmail.com", "hotmail.fr", "hotmail.de", "hotmail.se", "hotmail.co.uk",
    "outlook.com", "outlook.fr", "outlook.de", "live.com", "live.fr", "live.se", "icloud.com", "me.com",
    "yahoo.com", "yahoo.fr", "yahoo.de", "yahoo.co.uk", "orange.fr", "wanadoo.fr", "free.fr", "sfr.fr",
    "laposte.net", "gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de", "telia.com", "bahnhof.se",
    "proton.me", "protonmail.com", "btinternet.com", "skynet.be", "telenet.be",
)  # fmt: skip


def line(value: str) -> str:
    """One line of text as people mean it: composed characters, single spaces, nothing invisible.

    Raises:
        ValidationError: line breaks, control characters, a web address, more than 80 characters.
    """
    value = unicodedata.normalize("NFC", value).strip()
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") for char in value) or OVERRIDES.search(
        value
    ):
        raise ValidationError(_("Remove the line break or invisible character: write this on one line."), "control")
    if URL.search(value):
        raise ValidationError(_("Remove the web address: “://” and “www.” cannot stand here."), "url")
    value = re.sub(r"\s+", " ", value)
    if len(value) > LONGEST_LINE:
        raise ValidationError(
            _("Shorten this to %(limit)d characters: it has %(count)d.") % {"limit": LONGEST_LINE, "count": len(value)},
            "long",
        )
    return value


class LineField(forms.Field):
    """A short text on one line; any script, no `maxlength`: a silent cut would be worse than the message."""

    widget = forms.TextInput

    def __init__(
        self, *, autocomplete: str, clean: Callable[[str], str] = line, missing: Any = None, **options: Any
    ) -> None:
        attrs = {"autocomplete": autocomplete, **options.pop("attrs", {})}
        super().__init__(widget=self.widget(attrs=attrs), **options)
        self._clean = clean
        if missing:
            self.error_messages["required"] = missing

    def to_python(self, value: str | None) -> str:
        value = (value or "").strip()
        return self._clean(value) if value else ""


class NoteField(LineField):
    """Free text of several lines, for the seller to read."""

    widget = forms.Textarea


def note(value: str) -> str:
    value = value.replace("\r\n", "\n")
    if any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in value):
        raise ValidationError(_("Remove the invisible characters."), "control")
    if len(value) > 1000:
        raise ValidationError(
            _("Shorten this to %(limit)d characters: it has %(count)d.") % {"limit": 1000, "count": len(value)}, "long"
        )
    return value


# --- e-mail ---


def email(value: str) -> str:
    """A mail address with its domain in lower case; the message names what is missing."""
    if re.search(r"\s", value):
        raise ValidationError(_("Remove the space from the e-mail address."), "space")
    if value.count("@") > 1:
        raise ValidationError(_("Enter one e-mail address only: there is more than one “@”."), "several")
    local, at, domain = value.partition("@")
    if not at:
        raise ValidationError(_("The “@” is missing: write the whole address, like name@example.com."), "at")
    if not local:
        raise ValidationError(
            _("The part before the “@” is missing: write the whole address, like name@example.com."), "local"
        )
    if "." not in domain.strip("."):
        raise ValidationError(
            _("The end is missing, like “.com”: write the whole address, like name@example.com."), "domain"
        )
    if "," in value or ".." in value or domain.startswith(".") or domain.endswith("."):
        raise ValidationError(_("Check the dots and commas, then write the address like name@example.com."), "dots")
    value = f"{local}@{domain.lower()}"
    EmailValidator(_("Check the address for characters that cannot stand there, then write it like name@example.com."))(
        value
    )
    if len(value) > 254:
        raise ValidationError(_("Enter a shorter e-mail address: this one has more than 254 characters."), "long")
    return value


def email_suggestion(value: str) -> str:
    """What was probably meant (``ana@gmial.com`` -> ``ana@gmail.com``), empty when nothing looks wrong."""
    local, _at, domain = value.rpartition("@")
    if domain in MAIL_DOMAINS:
        return ""
    near = _nearest(domain)
    return f"{local}@{near}" if near else ""


@lru_cache(maxsize=1024)
def _nearest(domain: str) -> str:
    return next(iter(difflib.get_close_matches(domain, MAIL_DOMAINS, 1, 0.85)), "")


class EmailField(LineField):
    widget = forms.EmailInput

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "email", "spellcheck": "false", "autocapitalize": "none", **options.pop("attrs", {})}
        options.setdefault("label", gettext_lazy("E-mail"))
        options.setdefault("missing", gettext_lazy("Enter your e-mail address, like name@example.com."))
        super().__init__(autocomplete=options.pop("autocomplete", "email"), clean=email, attrs=attrs, **options)


# --- phone ---


def phone(value: str, country: str) -> str:
    """A phone number in international form; written nationally it is read as one of `country`."""
    import phonenumbers  # 30 ms: only when somebody gives a number

    if re.search(r"[^\W\d_]", value):
        raise ValidationError(_("Write the phone number in digits, without letters."), "letters")
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        raise ValidationError(
            _("Enter a phone number in digits, like %(example)s.") % {"example": _example(country)}, "form"
        ) from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        raise ValidationError(
            _("The phone number is too short: a digit is missing. Example: %(example)s.")
            % {"example": _example(country)},
            "short",
        )
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        raise ValidationError(
            _("The phone number is too long: remove a digit. Example: %(example)s.") % {"example": _example(country)},
            "long",
        )
    if not phonenumbers.is_valid_number(number):
        raise ValidationError(
            _("There is no such number. Check it; a foreign one begins with “+” and its country, like %(example)s.")
            % {"example": _example(country)},
            "unknown",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _example(country: str) -> str:
    import phonenumbers

    number = phonenumbers.example_number(country) or phonenumbers.example_number("FR")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


class PhoneField(LineField):
    widget = forms.TelInput

    def __init__(self, *, country: str, **options: Any) -> None:
        super().__init__(
            autocomplete="tel",
            clean=lambda value: phone(value, country),
            attrs={"inputmode": "tel"},
            missing=gettext_lazy("Enter a phone number at which we can reach you."),
            **options,
        )


# --- VAT identification ---


def vat_id(value: str, country: str) -> str:
    """A VAT identification number without spaces, its check digits right; existence is another question (VIES)."""
    from stdnum import exceptions  # tens of ms for the national modules: only for business customers
    from stdnum.util import get_cc_module

    number = re.sub(r"[\s.\-/]", "", value).upper()
    prefix = number[:2] if number[:2].isalpha() else country
    module = get_cc_module("gr" if prefix == "EL" else prefix.lower(), "vat")
    if module is None:
        raise ValidationError(_("Begin the VAT number with the letters of its country, like FR or DE."), "country")
    try:
        digits = module.validate(number)
    except exceptions.InvalidLength:
        raise ValidationError(
            _("The VAT number has too few or too many characters for %(country)s.") % {"country": prefix}, "length"
        ) from None
    except exceptions.InvalidFormat:
        raise ValidationError(
            _("The VAT number has a character that cannot stand there for %(country)s.") % {"country": prefix}, "form"
        ) from None
    except exceptions.ValidationError:
        raise ValidationError(
            _("Check the digits of the VAT number: one of them is probably wrong."), "digits"
        ) from None
    return digits if digits.startswith(prefix) else prefix + digits
