"""The outbox: every mail at least once, always the same Message-ID, and nobody writes headers but us."""

import smtplib
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core import mail
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from config.shop import SHOP
from mails import sending
from mails.messages import Message
from mails.models import OutboxMail
from mails.outbox import enqueue
from orders.models import Order

from .shopping import ConcurrentShoppingTestCase, ShoppingTestCase, an_order
from .threads import at_once

NASTY = (
    "Ada\nBcc: evil@example.com",
    "Ada\r\nBcc: evil@example.com",
    "Ada\u2028Bcc: evil@example.com",
    "Ada\x00\x1b[31m",
)


def written(subject: str = "Thank you", text: str = "Text", html: str = "<p>Text</p>"):
    return patch("mails.sending.build", lambda *args: Message(subject, text, html))


class OutboxTestCase(ShoppingTestCase):
    def queue(self, order: Order | None = None, **values) -> OutboxMail:
        order = order or an_order()
        values = {"to": order.email, "language": order.language, "key": f"test:{order.number}"} | values
        enqueue("order-confirmation", order=order, **values)
        return OutboxMail.objects.get(key=values["key"])


class EnqueueTest(OutboxTestCase):
    def test_same_key_is_written_once(self) -> None:
        order = an_order()
        first = self.queue(order)
        self.assertEqual(self.queue(order).pk, first.pk)
        self.assertEqual(OutboxMail.objects.count(), 1)

    def test_mail_goes_with_the_transaction_of_what_it_reports(self) -> None:
        with transaction.atomic():
            self.queue()
            transaction.set_rollback(True)
        self.assertFalse(OutboxMail.objects.exists())

    def test_kind_that_the_specification_leaves_out(self) -> None:
        order = an_order()
        with patch.dict(SHOP["mails"], send=[]):
            for kind in ("shipped", "order-confirmation"):
                enqueue(kind, order=order, to=order.email, language="en", key=kind)
        self.assertEqual([row.kind for row in OutboxMail.objects.all()], ["order-confirmation"])


class SendingTest(OutboxTestCase):
    def test_sent_once(self) -> None:
        row = self.queue()
        with written():
            self.assertEqual((sending.send_due(), sending.send_due()), (1, 0))
        sent = mail.outbox[0]
        self.assertEqual(sent.to, [row.to])
        self.assertEqual(sent.message()["Message-ID"], row.message_id)
        self.assertEqual(sent.message()["Auto-Submitted"], "auto-generated")
        self.assertIn(row.order.number, sent.message()["References"])
        self.assertNotIn("List-Unsubscribe", sent.message())

    def test_text_comes_before_html(self) -> None:
        self.queue()
        with written():
            sending.send_due()
        parts = [part.get_content_type() for part in message_from_bytes(mail.outbox[0].message().as_bytes()).walk()]
        self.assertEqual(parts, ["multipart/alternative", "text/plain", "text/html"])

    def test_marketing_can_be_stopped_in_one_click(self) -> None:
        self.queue(context={"unsubscribe_url": "https://shop.example/stop/x/"})
        with written():
            sending.send_due()
        message = mail.outbox[0].message()
        self.assertEqual(message["List-Unsubscribe"], "<https://shop.example/stop/x/>")
        self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_names_cannot_write_headers(self) -> None:
        for number, name in enumerate(NASTY):
            row = self.queue(key=f"nasty:{number}")
            with written(subject=f"Hello {name}"):
                self.assertEqual(sending.send_due(), 1, row.error)
            raw = mail.outbox[-1].message().as_bytes()
            message = message_from_bytes(raw, policy=policy.default)
            self.assertNotIn("Bcc", message)
            self.assertEqual(message["To"], row.to)
            self.assertNotIn("\x1b", message["Subject"])

    def test_two_addresses_in_one_field_are_refused(self) -> None:
        row = self.queue(to="buyer@example.com, evil@example.com")
        with written(), self.assertLogs("mails.sending", "ERROR"):
            self.assertEqual(sending.send_due(), 0)
        row.refresh_from_db()
        self.assertIsNone(row.due_at)
        self.assertEqual(mail.outbox, [])


class FailingTest(OutboxTestCase):
    def fail(self, error: Exception) -> OutboxMail:
        row = self.queue()
        with written(), patch("django.core.mail.backends.locmem.EmailBackend.send_messages", side_effect=error):
            self.assertEqual(sending.send_due(), 0)
        row.refresh_from_db()
        self.assertIsNone(row.sent_at)
        return row

    def test_server_that_is_down_is_tried_later(self) -> None:
        row = self.fail(ConnectionRefusedError("down"))
        self.assertGreater(row.due_at, timezone.now())
        with written():
            self.assertEqual(sending.send_due(timezone.now() + timedelta(hours=7)), 1)
        self.assertEqual(mail.outbox[0].message()["Message-ID"], row.message_id)

    def test_mails_that_wait_together_go_through_one_connection(self) -> None:
        for _ in range(3):
            self.queue()
        smtp = "django.core.mail.backends.smtp.EmailBackend"
        with written(), override_settings(EMAIL_BACKEND=smtp), patch("smtplib.SMTP", autospec=True) as server:
            self.assertEqual(sending.send_due(), 3)
        self.assertEqual(server.call_count, 1)
        self.assertEqual(server.return_value.sendmail.call_count, 3)

    def test_refused_for_now_is_tried_later(self) -> None:
        self.assertIsNotNone(self.fail(smtplib.SMTPDataError(451, b"greylisted")).due_at)

    def test_refused_for_good_is_set_aside(self) -> None:
        row = self.fail(smtplib.SMTPRecipientsRefused({"buyer@example.com": (550, b"no such user")}))
        self.assertIsNone(row.due_at)
        self.assertIn("550", row.error)

    def test_mail_that_cannot_be_written_does_not_hold_up_the_others(self) -> None:
        poison, good = self.queue(), self.queue()
        answers = [ValueError("broken template"), Message("S", "T", "")]
        with patch("mails.sending.build", side_effect=answers), self.assertLogs("mails.sending", "ERROR"):
            self.assertEqual(sending.send_due(), 1)
        poison.refresh_from_db()
        good.refresh_from_db()
        self.assertIsNone(poison.due_at)
        self.assertIn("broken template", poison.error)
        self.assertIsNotNone(good.sent_at)

    def test_given_up_after_many_tries_and_sent_again_by_hand(self) -> None:
        row = self.queue()
        OutboxMail.objects.filter(pk=row.pk).update(tries=sending.MAX_TRIES - 1)
        with written(), patch("django.core.mail.backends.locmem.EmailBackend.send_messages", side_effect=OSError):
            sending.send_due()
        row.refresh_from_db()
        self.assertIsNone(row.due_at)
        sending.send_again(OutboxMail.objects.all())
        with written():
            self.assertEqual(sending.send_due(), 1)

    def test_worker_killed_while_sending_leaves_the_mail_to_the_next(self) -> None:
        row = self.queue()
        with written(), patch("mails.sending._send", side_effect=SystemExit), self.assertRaises(SystemExit):
            sending.send_due()
        with written():
            self.assertEqual(sending.send_due(), 0)  # it may still be on its way
            self.assertEqual(sending.send_due(timezone.now() + sending.LEASE + timedelta(seconds=1)), 1)
        self.assertEqual(mail.outbox[0].message()["Message-ID"], row.message_id)

    def test_mail_that_takes_every_worker_down_is_set_aside(self) -> None:
        row = self.queue()
        OutboxMail.objects.filter(pk=row.pk).update(tries=sending.MAX_TRIES)
        with written():
            self.assertEqual(sending.send_due(), 0)
        row.refresh_from_db()
        self.assertIsNone(row.due_at)
        self.assertIn("died", row.error)

    def test_slow_server_does_not_outlast_the_lease(self) -> None:
        for _ in range(3):
            self.queue()
        clock = iter([0, 1, 31, 61])
        with written(), patch("mails.sending.time.monotonic", lambda: next(clock)):
            self.assertEqual(sending.send_due(), 1)

    def test_seller_is_warned_of_an_order_under_review(self) -> None:
        order = an_order()
        enqueue(
            "order-review",
            order=order,
            to="seller@example.com",
            language="en",
            key="r",
            context={"reason": "refund_failed"},
        )
        self.assertEqual(sending.send_due(), 1)
        self.assertIn(order.number, mail.outbox[0].subject)


class ManyWorkersTest(ConcurrentShoppingTestCase):
    def test_workers_at_once_send_each_mail_once(self) -> None:
        order = an_order()
        for number in range(5):
            enqueue("order-confirmation", order=order, to=order.email, language=order.language, key=f"many:{number}")
        with written():
            results = at_once([sending.send_due] * 4)
        self.assertEqual(sum(results), 5, results)
        self.assertEqual(len({message.message()["Message-ID"] for message in mail.outbox}), 5)


class MailboxTest(OutboxTestCase):
    def test_mailbox_shows_what_was_sent_in_development_only(self) -> None:
        self.queue()
        folder = Path(self.enterContext(TemporaryDirectory()))
        self.enterContext(override_settings(EMAIL_BACKEND="mails.backends.MailboxBackend", VAR_DIR=folder))
        with written(html="<script>alert(1)</script><p>Hello</p>"):
            sending.send_due()
        with override_settings(DEBUG=True):
            page = self.client.get("/mailbox/")
            self.assertContains(page, "Thank you")
            name = page.context["rows"][0]["name"]
            self.assertContains(self.client.get(f"/mailbox/{name}/"), "sandbox")
            html = self.client.get(f"/mailbox/{name}/html/")
            self.assertContains(html, "Hello")
            self.assertNotIn("script-src", html.headers["Content-Security-Policy"])
            self.assertEqual(self.client.get("/mailbox/..%2f..%2fmanage/").status_code, 404)
        self.assertEqual(self.client.get("/mailbox/").status_code, 404)
        self.assertEqual(self.client.get(f"/mailbox/{name}/html/").status_code, 404)
