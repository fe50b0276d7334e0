"""Tags of every page (builtins: no {% load %} needed).

{{ amount|money:currency }}   {{ texts|text }}   {{ markdown|markdown }}   {{ start|days:end }}   {{ date|day }}
{{ datetime|moment }}   {{ datetime|clock }}   {{ date|full_date }}   {{ percent|rate }}
{{ order.number|number }}   {{ email|strong }}
{% field form.email autocomplete="email" type="email" %}   {% errors form other_form %}
"""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from html import escape
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_percent
from django import forms, template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from common import markdown as markdown_module
from common.money import format_amount
from common.texts import locale, localized

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    return format_amount(amount, currency, get_language() or settings.LANGUAGE_CODE)


@register.filter
def text(texts: Any) -> str:
    return localized(texts)


@register.filter
def markdown(source: Any) -> SafeString:
    return markdown_module.render(localized(source))


def _locale() -> Locale:
    return locale(get_language() or settings.LANGUAGE_CODE)


@cache
def _day_pattern(form: Locale) -> str:
    """The language's order of weekday, day and month, with both names written out."""
    pattern = form.datetime_skeletons["MMMEd"].pattern
    return re.sub("M{3,}|L{3,}", "MMMM", re.sub("E+|c+", "EEEE", pattern))


@register.filter
def day(value: date) -> str:
    """ "Wednesday 25 November" in the active language."""
    return _day(value, _locale())


@lru_cache(maxsize=1024)
def _day(value: date, form: Locale) -> str:
    return format_date(value, _day_pattern(form), locale=form)


@register.filter
def days(start: date, end: date | None = None) -> SafeString:
    """ "Wed 25 Nov – Thu 26 Nov" with <time> elements that machines read; one day when both are the same."""
    return _days(start, end or start, _locale())


@lru_cache(maxsize=1024)
def _days(start: date, end: date, form: Locale) -> SafeString:
    spans = [
        f'<time datetime="{value.isoformat()}">{escape(format_skeleton("MMMEd", value, locale=form))}</time>'
        for value in dict.fromkeys([start, end])
    ]
    return mark_safe(" – ".join(spans))  # noqa: S308  ISO dates and escaped CLDR text


@register.filter
def rate(value: Decimal | str) -> str:
    """Decimal("5.5") -> "5.5%" as the language writes it."""
    return _rate(str(value), _locale())


@lru_cache(maxsize=256)
def _rate(value: str, form: Locale) -> str:
    return format_percent(Decimal(value) / 100, locale=form, decimal_quantization=False)


@register.filter
def moment(value: datetime) -> str:
    """ "Wednesday 25 November, 14:00" on the shop's clock."""
    local = timezone.localtime(value)
    return f"{day(local.date())}, {format_time(local, 'short', locale=_locale())}"


@register.filter
def clock(value: datetime) -> str:
    """ "14:00" on the shop's clock, as the language writes it."""
    return format_time(timezone.localtime(value), "short", locale=_locale())


@register.filter
def number(value: str) -> SafeString:
    """The number of an order, which is never broken at its hyphens."""
    return mark_safe(f'<span class="num">{escape(str(value))}</span>')  # noqa: S308  escaped


@register.filter
def strong(value: str) -> SafeString:
    """What stands out in a sentence, a mail address above all, whatever its direction of writing."""
    return mark_safe(f"<b><bdi>{escape(str(value))}</bdi></b>")  # noqa: S308  escaped


@register.filter(expects_localtime=True)
def full_date(value: date) -> str:
    """ "25 November 2026" in the active language."""
    return format_date(value, "long", locale=_locale())


def _html(value: Any) -> str:
    """Escaped unless marked as safe, as `conditional_escape` does it with more detours."""
    return value.__html__() if hasattr(value, "__html__") else escape(str(value))


def _attributes(attributes: dict[str, Any]) -> str:
    parts = []
    for name, value in attributes.items():
        if value is True:
            parts.append(f" {name}")
        elif value not in (None, False, ""):
            parts.append(f' {name}="{_html(value)}"')
    return "".join(parts)


@register.simple_tag(name="field")
def field_tag(
    bound: BoundField,
    *,
    autocomplete: str = "",
    type: str = "",
    inputmode: str = "",
    hint: str = "",
    label: str = "",
    width: str = "",
    mark: bool = True,
    **attributes: Any,
) -> SafeString:
    """One field written out: label, (required) or (optional), hint, error, control. Faster than widgets.

    bound         form.email; id and name are both its html_name, label and help_text are the defaults of label and hint
    type          of the input, by default the widget's, whose attrs count too; choices give a <select>, a Textarea
                  widget a <textarea>
    width         "zip" or "cvc": a narrow field that hints at the length
    mark          False leaves "(required)" out, for a field that is always filled, such as the country
    attributes    further HTML attributes; spellcheck="false", data_check="email" becomes data-check
    """
    form_field, name = bound.field, bound.html_name
    hint = hint or str(bound.help_text or "")
    errors = bound.errors
    word = gettext("required") if form_field.required else gettext("optional")
    parts = [f'<div class="f"><label for="{name}">{_html(label or bound.label)}']
    if mark:
        parts.append(f' <span class="opt">({escape(word)})</span>')
    parts.append("</label>")
    described = []
    if hint:
        parts.append(f'<span class="hint" id="{name}-h">{_html(hint)}</span>')
        described.append(f"{name}-h")
    if errors:
        prefix = escape(gettext("Error"))
        parts.append(f'<span class="err" id="{name}-e"><span class="vh">{prefix}: </span>{_html(errors[0])}</span>')
        described.insert(0, f"{name}-e")
    is_select = hasattr(form_field, "choices")
    is_text = isinstance(form_field.widget, forms.Textarea)
    type = "" if is_select or is_text else type or getattr(form_field.widget, "input_type", "text")
    value = bound.value()
    given = {"type": type, "autocomplete": autocomplete, "inputmode": inputmode, "class": f"w-{width}" if width else ""}
    attributes = {
        "id": name,
        "name": name,
        # A <select required> whose first option has a value is an error of HTML.
        "required": form_field.required and not is_select,
        **form_field.widget.attrs,
        **{key: value for key, value in given.items() if value},
        **{key.replace("_", "-"): value for key, value in attributes.items()},
        "aria-invalid": "true" if errors else "",
        "aria-describedby": " ".join(described),
    }
    if is_select:
        chosen = str(value or "")
        options = "".join(
            f'<option value="{_html(key)}"{" selected" if str(key) == chosen else ""}>{_html(title)}</option>'
            for key, title in form_field.choices
        )
        parts.append(f"<select{_attributes(attributes)}>{options}</select></div>")
    elif is_text:
        parts.append(f"<textarea{_attributes(attributes)}>{_html(value or '')}</textarea></div>")
    else:
        # A password is never sent back to the page.
        shown = "" if type == "password" or value is None else value
        parts.append(f"<input{_attributes(attributes | {'value': str(shown)})}></div>")
    return mark_safe("".join(parts))  # noqa: S308  every value above is escaped


@register.simple_tag(name="errors")
def errors_tag(*bound_forms: forms.BaseForm) -> SafeString:
    """The summary at the top of main: a heading and one link to each field that is wrong. Empty without errors."""
    links = []
    for form in bound_forms:
        if not form:
            continue
        for name, messages in form.errors.items():
            message = _html(messages[0])
            if name == forms.forms.NON_FIELD_ERRORS:
                links.append(f"<li>{message}</li>")
            else:
                links.append(f'<li><a href="#{form[name].html_name}">{message}</a></li>')
    if not links:
        return SafeString()
    heading = escape(gettext("There is a problem"))
    return mark_safe(  # noqa: S308  escaped above
        f'<div class="errs" role="alert" tabindex="-1" id="errs"><h2>{heading}</h2><ul>{"".join(links)}</ul></div>'
    )
