"""The queue of writers, and the fields that every form shows."""

import os
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.template import Context, Engine, Template
from django.template.backends.django import get_installed_libraries
from django.templatetags.i18n import TranslateNode
from django.test import RequestFactory, SimpleTestCase, TestCase, TransactionTestCase
from django.utils.safestring import mark_safe
from django.utils.translation import override

from catalogue.models import Product
from common import checks, context
from common.views import server_error
from config.shop import SHOP
from tests.threads import at_once


@skipUnless(connection.vendor == "sqlite", "PostgreSQL has its own queue")
class QueueTest(TransactionTestCase):
    def test_many_writers_lose_nothing(self) -> None:
        product = Product.objects.create(handle="counter", title={}, position=0)
        errors: list[Exception] = []

        def write() -> None:
            try:
                for _ in range(10):
                    with transaction.atomic():
                        found = Product.objects.get(pk=product.pk)
                        found.position += 1
                        found.save()
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        product.refresh_from_db()
        self.assertEqual((errors, product.position), ([], 80))

    def test_a_failed_transaction_leaves_the_queue(self) -> None:
        for _ in range(3):
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                Product.objects.create(handle="x", title={})
                raise ZeroDivisionError
        with transaction.atomic():
            self.assertEqual(Product.objects.count(), 0)
        self.assertIsNone(connection._gate)


class ErrorPageTest(TestCase):
    def test_the_page_for_our_own_faults_asks_the_database_nothing(self) -> None:
        request = RequestFactory().get("/")
        request.csp_nonce = "nonce"
        cache.clear()
        with self.assertNumQueries(0):
            response = server_error(request)
        self.assertEqual(response.status_code, 500)
        self.assertIn(b"<h1>", response.content)

    def test_expired_seals_are_not_shown_and_own_links_follow_the_language(self) -> None:
        own = SHOP["shop"]["url"]
        badges = [
            {"id": "old", "valid_until": "2026-01-31"},
            {"id": "own", "valid_until": "2026-02-01", "url": f"{own}/{settings.LANGUAGE_CODE}/legal/returns/"},
            {"id": "far", "url": "https://seal.example/fr/x"},
        ]
        with patch.dict(SHOP["trust"], badges=badges):
            shown = context.trust.__wrapped__("sv", date(2026, 2, 1))["badges"]
        self.assertEqual([badge["url"] for badge in shown], ["/sv/legal/returns/", "https://seal.example/fr/x"])


class FieldForm(forms.Form):
    name = forms.CharField(label="Name <b>", help_text="As on the letter box")
    note = forms.CharField(required=False, widget=forms.Textarea)
    country = forms.ChoiceField(choices=[("FR", "France"), ("DE", "Deutschland")])
    secret = forms.CharField(widget=forms.PasswordInput)


class FieldTest(SimpleTestCase):
    def show(self, tag: str, form: forms.Form) -> str:
        with override("en"):
            return Template("{% load shop %}" + tag).render(Context({"form": form}))

    def test_label_hint_mark_and_input(self) -> None:
        html = self.show('{% field form.name autocomplete="shipping name" %}', FieldForm(prefix="shipping"))
        self.assertIn('<label for="shipping-name">Name &lt;b&gt; <span class="opt">(required)</span></label>', html)
        self.assertIn('id="shipping-name" name="shipping-name" required', html)
        self.assertIn('autocomplete="shipping name"', html)
        self.assertIn('aria-describedby="shipping-name-h"', html)
        self.assertNotIn("aria-invalid", html)

    def test_error_keeps_what_was_typed(self) -> None:
        form = FieldForm({"name": "", "note": '"><script>', "country": "DE", "secret": "hunter2"})
        html = "".join(self.show("{% field form." + name + " %}", form) for name in form.fields)
        self.assertIn('aria-invalid="true" aria-describedby="name-e name-h"', html)
        self.assertIn("&quot;&gt;&lt;script&gt;", html)
        self.assertIn('<option value="DE" selected>', html)
        self.assertNotIn("hunter2", html)
        self.assertNotIn('<select id="country" name="country" required', html)

    def test_summary_links_to_the_fields(self) -> None:
        form = FieldForm({}, prefix="billing")
        html = self.show("{% errors form %}", form)
        self.assertIn('role="alert"', html)
        self.assertIn('href="#billing-name"', html)
        self.assertEqual(self.show("{% errors form %}", FieldForm()), "")


@skipUnless(connection.vendor == "sqlite", "SQLite only")
class SqliteTest(SimpleTestCase):
    def test_version_with_the_error_is_named(self) -> None:
        for version, names in (((3, 40, 1), 1), ((3, 51, 2), 1), ((3, 51, 3), 0), ((3, 53, 0), 0)):
            with self.subTest(version), patch.object(connection.Database, "sqlite_version_info", version):
                self.assertEqual(len(checks.database(None)), names)

    def test_pysqlite3_is_used_where_it_is_installed(self) -> None:
        folder = Path(self.enterContext(TemporaryDirectory()))
        (folder / "pysqlite3").mkdir()
        (folder / "pysqlite3/__init__.py").write_text("from pysqlite3.dbapi2 import *\n", "utf-8")
        newer = "from sqlite3.dbapi2 import *\nsqlite_version = 'newer'\n"
        (folder / "pysqlite3/dbapi2.py").write_text(newer, "utf-8")
        shown = "from django.db import connection; print(connection.Database.sqlite_version)"
        done = subprocess.run(  # noqa: S603  ourselves
            [sys.executable, "-c", shown],
            cwd=settings.BASE_DIR,
            env=os.environ | {"PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.stdout.strip(), "newer", done.stderr[-2000:])


class FoldingTest(SimpleTestCase):
    def test_constant_parts_become_text_and_the_rest_stays(self) -> None:
        source = '{% if x %}{% translate "Cart" %} {{ x }}{% endif %}{% translate y %}{% include "b" %}'
        templates = {"a": "{% load i18n %}" + source, "b": '{% load i18n %}<b>{% translate "Cart" %}</b>{{ x }}'}
        locmem = "django.template.loaders.locmem.Loader"
        libraries = get_installed_libraries()
        engine = Engine(loaders=[("common.folding.Loader", [(locmem, templates)])], libraries=libraries)
        plain = Engine(loaders=[(locmem, templates)], libraries=libraries)
        for language in ("fr", "de"):
            with override(language):
                context = {"x": "<7>", "y": "Cart"}
                folded = engine.get_template("a")
                self.assertEqual(folded.render(Context(context)), plain.get_template("a").render(Context(context)))
                self.assertEqual(sum(isinstance(node, TranslateNode) for node in folded.nodelist), 1)
                self.assertIs(engine.get_template("a"), folded)

    def test_folded_templates_say_the_same(self) -> None:
        templates = {
            "base": "<{% block one %}{{ n }}{% endblock %}{% block two %}-{% endblock %}>",
            "part": "{{ what|default:'nothing' }}{% if other %}{{ other.deep.er }}{% endif %}",
            "in-turn": "{% cycle 'odd' 'even' %}",
        }
        sources = [
            '{% extends "base" %}{% block two %}{{ block.super }}{{ text }}{{ safe }}{% endblock %}',
            "{% extends parent %}{% block one %}{{ n|add:n }}{% endblock %}",
            "{% for a, b in pairs %}{{ forloop.counter }}{{ a }}{% for c in b %}{{ c }}{{ forloop.parentloop.last }}"
            "{% endfor %}{% empty %}none{% endfor %}{% for x in nothing %}{% empty %}none{% endfor %}",
            "{{ missing }}{{ text.missing }}{{ other.missing.deep }}{{ list.1 }}{{ text.upper }}{{ made.at.once }}",
            "{% if missing.x or not text %}a{% elif n > 2 and other.deep.er in list %}b{% else %}c{% endif %}",
            '{% for n in list %}{% include "part" with what=n %}{% endfor %}{% include "part" only %}'
            '{% for n in list %}{% include "in-turn" %}{% endfor %}{% include name %}',
            '{% translate "Cart" as t %}{{ t }}{% with t=n other=text %}{{ t }}{{ other }}{% endwith %}{{ t }}'
            "{% blocktranslate with x=text %}Code {{ x }}{% endblocktranslate %}{% blocktranslate %}{{ n }}"
            "{% endblocktranslate %}{% autoescape off %}{{ text }}{% endautoescape %}{{ none }}{{ yes }}{{ big }}",
        ]
        values = {
            "n": 3, "big": 1234567, "text": "<&>", "safe": mark_safe("<b>"), "yes": True, "none": None,
            "list": ["x", "y<"], "pairs": [("k", "12"), ("l", "")], "parent": "base", "name": "part",
            "other": SimpleNamespace(deep={"er": "y<"}), "made": lambda: SimpleNamespace(at={"once": lambda: "now"}),
        }  # fmt: skip
        templates |= {f"source {number}": source for number, source in enumerate(sources)}
        locmem = "django.template.loaders.locmem.Loader"
        builtins = ["django.templatetags.i18n"]
        engine = Engine(loaders=[("common.folding.Loader", [(locmem, templates)])], builtins=builtins)
        plain = Engine(loaders=[(locmem, templates)], builtins=builtins)
        for name in templates:
            with self.subTest(templates[name]), override("fr"):
                wanted = plain.get_template(name).render(Context(values))
                for _ in range(2):
                    self.assertEqual(engine.get_template(name).render(Context(values)), wanted)

    def test_no_thread_gets_a_template_that_another_one_still_folds(self) -> None:
        loaders = [("common.folding.Loader", [("django.template.loaders.locmem.Loader", {"page": "{{ x }}"})])]
        engine, begun, done = Engine(loaders=loaders), threading.Event(), []

        def slow_fold(*_args: Any) -> None:
            begun.set()
            time.sleep(0.2)
            done.append("folded")

        def second() -> None:
            begun.wait(5)
            engine.get_template("page")
            done.append("given")

        with patch("common.folding.fold", slow_fold):
            at_once([lambda: engine.get_template("page"), second])
        self.assertEqual(done, ["folded", "given"])
