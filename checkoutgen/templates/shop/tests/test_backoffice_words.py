"""The back office speaks the language of who reads it: fields, codes, models and apps are called by words."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from unittest import skipUnless

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, get_fields_from_path, label_for_field
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.core.management import call_command
from django.db import models
from django.test import RequestFactory, SimpleTestCase, TestCase
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise

from backoffice.lists import amount
from backoffice.words import CODES, FAILURES, MAILS, OUTCOMES
from orders import lifecycle
from payments import engine, failures
from payments.models import PaymentEvent

from .shopping import an_order
from .test_backoffice import BackOfficeTestCase, staff

OTHERS = [code for code, _ in settings.LANGUAGES if not code.startswith("en")]


def admins() -> list[admin.ModelAdmin]:
    """Of the shop's own apps: an agency names its own."""
    registered = admin.site._registry.values()
    return [each for each in registered if not each.opts.app_config.name.startswith(("django.", "custom."))]


def shown(request: Any) -> Iterator[tuple[Any, Any]]:
    """(admin, column) of all lists, filters, inlines and detail pages."""
    for each in admins():
        yield from ((each, name) for name in each.get_list_display(request))
        yield from ((each, found) for found in each.get_list_filter(request))
        for part in (each, *each.get_inline_instances(request)):
            yield from ((part, name) for name in flatten_fieldsets(part.get_fieldsets(request)))


def fields(request: Any) -> Iterator[models.Field]:
    for where, column in shown(request):
        name = column[0] if isinstance(column, tuple) else column
        if name == "__str__" or not isinstance(name, str):
            continue
        try:
            yield get_fields_from_path(where.model, name)[-1]
        except FieldDoesNotExist:  # a method, that has a description
            continue


def request_of_staff() -> Any:
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.filter(is_staff=True).first() or staff()
    return request


class NamesTest(TestCase):
    def test_every_shown_field_has_a_name(self) -> None:
        """Where this fails, backoffice.words lacks the word of a new field."""
        found = {*fields(request_of_staff())}
        self.assertGreater(len(found), 50)
        nameless = [str(field) for field in found if not isinstance(field.verbose_name, Promise)]
        own_keys = [str(field) for field in found if field.primary_key and field.auto_created]
        self.assertEqual(sorted({*nameless} - {*own_keys}), [])

    def test_every_other_column_has_a_name(self) -> None:
        for where, column in shown(request_of_staff()):
            if isinstance(column, type):
                self.assertIsInstance(column.title, Promise, column)
            elif not isinstance(column, tuple) and "__" not in str(column):
                label, about = label_for_field(column, where.model, where, return_attr=True)
                if about is not None:
                    self.assertIsInstance(label, Promise, column)

    def test_models_apps_and_actions_have_names(self) -> None:
        for each in admins():
            for name in (each.opts.verbose_name, each.opts.verbose_name_plural, each.opts.app_config.verbose_name):
                self.assertIsInstance(name, Promise, each)
            for action in each.actions or ():
                self.assertIsInstance(each.get_action(action)[2], Promise, action)

    def test_names_are_no_migration(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


class CodesTest(SimpleTestCase):
    def test_codes_are_those_of_fields(self) -> None:
        """A field that was renamed would go unnoticed: its codes would be shown as they are."""
        known = {str(field) for model in apps.get_models() for field in model._meta.fields}
        self.assertEqual({*CODES} - known, set())

    def test_every_mail_has_a_name(self) -> None:
        mails = {path.name for path in (settings.BASE_DIR / "templates" / "mails").iterdir()} - {"parts"}
        self.assertEqual(mails - {*MAILS}, set())

    def test_every_failure_that_buyers_are_told_has_a_name(self) -> None:
        self.assertEqual({*failures._TEXTS} - {*FAILURES}, set())


class Texts(HTMLParser):
    """The texts of a page, one for each element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found |= {data.strip()}


@skipUnless(OTHERS, "this shop speaks English only")
class LanguagesTest(BackOfficeTestCase):
    def pages(self, language: str) -> Iterator[tuple[str, set[str]]]:
        for each in admins():
            name = f"admin:{each.opts.app_label}_{each.opts.model_name}"
            last = each.model._default_manager.order_by("pk").last()
            urls = [reverse(f"{name}_changelist"), *([reverse(f"{name}_change", args=[last.pk])] if last else [])]
            for url in urls:
                answer = self.client.get(url, headers={"Accept-Language": language})
                self.assertEqual(answer.status_code, 200, url)
                yield url, Texts(answer.content.decode()).found

    def english(self) -> set[str]:
        """Automatic names and codes, as far as the language has another word for them."""
        words = {field.name.replace("_", " "): field.verbose_name for field in fields(request_of_staff())}
        names = {english for english, word in words.items() if str(word).casefold() != english.casefold()}
        codes = {code for each in CODES.values() for code, word in each.items() if str(word) != code}
        return names | {each[0].upper() + each[1:] for each in names} | codes

    def test_no_automatic_name_and_no_code_is_read(self) -> None:
        order = self.order()
        engine.refund(order, 10, "scratch", "seller")
        lifecycle.ship(order, carrier="Post", tracking_number="1", actor="seller")
        engine.cancel(self.order("transfer"), actor="buyer", reason="buyer")
        declined = self.provider.fact(order.attempts.get(), "evt", "failed", failure="declined")
        engine.apply(declined)
        self.assertIn("failed", PaymentEvent.objects.values_list("kind", flat=True))
        for language in OTHERS:
            with self.subTest(language), translation.override(language):
                english = self.english()
                self.assertGreater(len(english), 60)
                pages = dict(self.pages(language))
                self.assertGreater(len(pages), 12)
                self.assertEqual({url: texts & english for url, texts in pages.items() if texts & english}, {})

    def test_amounts_and_items_are_written_for_people(self) -> None:
        order = self.order()
        line = order.lines.get()
        row = {"line": line.pk, "sku": line.sku, "title": {"en": "Chair"}, "quantity": 1}
        for record in (order.attempts.get(), engine.refund(order, 150, "scratch", "seller")):
            page = self.page_of(record)
            with translation.override(OTHERS[0]):
                self.assertIn(amount(record.amount, order.currency), page)
            self.assertNotIn(str(record.amount), page)
        if apps.is_installed("returns"):
            withdrawal = apps.get_model("returns.Withdrawal").objects.create(order=order, key="a" * 32, lines=[row])
            self.assertIn(f"1 × Chair ({line.sku})", self.page_of(withdrawal))

    def test_an_action_answers_in_words(self) -> None:
        attempt = engine.start(an_order(), "card").attempt
        asked = {"action": "ask", "_selected_action": [attempt.pk]}
        url = reverse("admin:payments_paymentattempt_changelist")
        for code in ("applied", "stale"):
            self.provider.charge(attempt)
            page = self.client.post(url, asked, follow=True, headers={"Accept-Language": OTHERS[0]})
            with translation.override(OTHERS[0]):
                self.assertContains(page, f"({OUTCOMES[code]})")

    def page_of(self, record: models.Model) -> set[str]:
        url = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
        return Texts(self.client.get(url, headers={"Accept-Language": OTHERS[0]}).content.decode()).found

    def test_a_code_is_filtered_by_its_word(self) -> None:
        self.order()
        kinds = reverse("admin:payments_paymentevent_changelist")
        for language in OTHERS:
            with translation.override(language):
                word = str(CODES["payments.PaymentEvent.kind"]["captured"])
            page = self.client.get(f"{kinds}?kind=captured", headers={"Accept-Language": language}).content.decode()
            self.assertInHTML(f'<a href="?kind=captured">{word}</a>', page)
