"""Bank statements: exact matches are booked once, everything else is for people, and hostile files get nowhere."""

import io
import tempfile
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import SimpleTestCase, override_settings
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from config.shop import SHOP
from orders import lifecycle
from orders.models import Order
from payments import engine, methods
from payments.models import PaymentEvent
from payments.statements import StatementError, camt, matching, table, unmatched
from payments.units import decimal_text

from .shopping import ShoppingTestCase, an_order
from .test_backoffice import staff

COLUMNS = {
    "delimiter": ";",
    "encoding": "utf-8",
    "decimal": ",",
    "day": "day-month-year",
    "date": "Datum",
    "amount": "Betrag",
    "currency": "Währung",
    "text": ["Zweck"],
    "reference": "Nr",
}


def transaction(amount: str, text: str = "", *, currency: str = "EUR", ref: str = "", structured: str = "") -> str:
    strd = f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>" if structured else ""
    ustrd = "".join(f"<Ustrd>{line}</Ustrd>" for line in text.split("\n") if line)
    refs = f"<Refs><AcctSvcrRef>{ref}</AcctSvcrRef></Refs>" if ref else ""
    value = f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    return f"<TxDtls>{refs}{value}<RmtInf>{ustrd}{strd}</RmtInf></TxDtls>"


def entry(amount: str, *details: str, currency: str = "EUR", ref: str = "", more: str = "", sign: str = "CRDT") -> str:
    shared = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    inside = f"<NtryDtls>{''.join(details)}</NtryDtls>" if details else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}'
        f"<BookgDt><Dt>2026-11-20</Dt></BookgDt>{shared}{inside}</Ntry>"
    )


def paid(amount: str, text: str = "", *, ref: str = "B1", more: str = "<Sts><Cd>BOOK</Cd></Sts>", **values: str) -> str:
    currency = values.get("currency", "EUR")
    return entry(amount, transaction(amount, text, **values), currency=currency, ref=ref, more=more)


def statement(*entries: str, version: str = "08") -> io.BytesIO:
    name = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    account = "<Acct><Id><IBAN>FR7630006000011234567890189</IBAN></Id></Acct>"
    body = (
        f'<Document xmlns="{name}"><BkToCstmrStmt><Stmt>{account}{"".join(entries)}</Stmt></BkToCstmrStmt></Document>'
    )
    return io.BytesIO(f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode())


class StatementTestCase(ShoppingTestCase):
    def order(self, method: str = "transfer") -> Order:
        order = an_order(method=method)
        Order.objects.filter(pk=order.pk).update(currency="EUR")
        order.refresh_from_db()
        engine.start(order, method)
        order.refresh_from_db()
        return order

    def total(self, order: Order, more: int = 0) -> str:
        return decimal_text(order.total_amount + more, order.currency)

    def read(self, *entries: str, **values: str) -> list[str]:
        return [line.outcome for line in matching.reconcile(statement(*entries, **values))]


class MatchingTest(StatementTestCase):
    def test_creditor_reference_and_exact_amount_is_paid(self) -> None:
        for version in ("02", "04", "08"):
            order = self.order()
            reference = methods.reference(order)
            self.assertEqual(self.read(paid(self.total(order), structured=reference, ref=version)), ["applied"])
            self.assertState(order, "confirmed")
            self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_however_the_bank_prints_the_reference(self) -> None:
        for number, write in enumerate(
            (
                lambda order: methods.reference(order),
                lambda order: " ".join(methods.reference(order)[i : i + 4] for i in range(0, 30, 4)).strip().lower(),
                lambda order: f"SVWZ+{methods.reference(order)}",
                lambda order: f"Commande {order.number}, merci",
                lambda order: f"Bestellung {order.number.replace('-', '')}",
                lambda order: f"Bestellung {order.number[:8]}\n{order.number[8:]} Danke",
                lambda order: f"order no. {order.number.replace('-', ' ')}.",
            )
        ):
            order = self.order()
            self.assertEqual(self.read(paid(self.total(order), write(order), ref=f"W{number}")), ["applied"], number)

    def test_qr_reference(self) -> None:
        swiss = {"id": "transfer", "kind": "bank-transfer", "iban": "CH4431999123000889012", "name": {}}
        with patch.dict(SHOP["payment"], methods=[swiss]):
            order = self.order()
            reference = methods.reference(order)
            self.assertEqual(len(reference), 27)
            self.assertEqual(self.read(paid(self.total(order), structured=reference)), ["applied"])

    def test_same_statement_twice_changes_nothing(self) -> None:
        order = self.order()
        entries = [paid(self.total(order), order.number), paid("3.00", "somebody else", ref="B2")]
        self.assertEqual(self.read(*entries), ["applied", "unknown"])
        before = list(PaymentEvent.objects.values()), order.mails.count()
        self.assertEqual(self.read(*entries), ["duplicate", "duplicate"])
        self.assertEqual((list(PaymentEvent.objects.values()), order.mails.count()), before)

    def test_bookings_without_a_number_of_the_bank_count_once_too(self) -> None:
        order = self.order()
        entries = [paid(self.total(order), order.number, ref=""), paid("1.00", "x", ref=""), paid("1.00", "x", ref="")]
        self.assertEqual(self.read(*entries), ["applied", "unknown", "unknown"])
        self.assertEqual(self.read(*entries), ["duplicate"] * 3)

    def test_wrong_amounts_and_currencies_are_for_people(self) -> None:
        for number, (more, currency) in enumerate(((-1, "EUR"), (1, "EUR"), (0, "CHF"))):
            order = self.order()
            line = paid(self.total(order, more), order.number, currency=currency, ref=f"X{number}")
            self.assertEqual(self.read(line), ["review"])
            self.assertState(order, "review")
            self.assertEqual(order.mails.get(kind="order-review").context["reason"], "amount_mismatch")

    def test_rest_of_a_part_payment(self) -> None:
        order = self.order()
        parts = [paid("1.00", order.number, ref="P1"), paid(self.total(order, -100), order.number, ref="P2")]
        self.assertEqual(self.read(*parts), ["review", "review"])
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(engine.refundable_amount(order), order.total_amount)

    def test_paid_twice(self) -> None:
        order = self.order()
        twice = [paid(self.total(order), order.number, ref=f"T{i}") for i in (1, 2)]
        self.assertEqual(self.read(*twice), ["applied", "review"])
        self.assertState(order, "review")
        self.assertEqual(order.mails.get(kind="order-review").context["reason"], "more_money")
        self.assertEqual(engine.refundable_amount(order), 2 * order.total_amount)

    def test_marked_as_received_before_the_statement_came(self) -> None:
        order = self.order()
        engine.received(order, actor="seller")
        line = [paid(self.total(order), order.number, ref=f"M{i}") for i in (1, 2)]
        self.assertEqual(self.read(line[0]), ["stale"])
        self.assertState(order, "confirmed")
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(self.read(line[1]), ["review"])

    def test_late_for_an_order_that_was_let_go(self) -> None:
        order = self.order()
        engine.expire_due(timezone.now() + timedelta(days=40))
        self.assertState(order, "expired")
        self.assertEqual(self.read(paid(self.total(order), order.number)), ["applied"])
        self.assertState(order, "confirmed")

    def test_invoice_paid_after_shipping(self) -> None:
        order = self.order("invoice")
        lifecycle.ship(order)
        self.assertEqual(self.read(paid(self.total(order), order.number)), ["applied"])
        self.assertState(order, "fulfilled")

    def test_nobody_s_money_is_kept_for_people_to_look_at(self) -> None:
        first, second = self.order(), self.order()
        card = an_order()
        wrong = methods.reference(first)
        wrong = wrong[:2] + f"{(int(wrong[2:4]) + 1) % 100:02d}" + wrong[4:]
        for number, text in enumerate((
            "no reference",
            f"{first.number} and {second.number}",
            f"{first.number}9",
            wrong,
            "ML-2026-999999",
            card.number,
        )):  # fmt: skip
            self.assertEqual(self.read(paid(self.total(first), text, ref=f"N{number}")), ["unknown"], text)
        kept = PaymentEvent.objects.filter(source="statement", outcome="unknown")
        self.assertEqual(kept.count(), 6)
        self.assertEqual(kept.first().payload, {"day": "2026-11-20", "text": "no reference", "credit": True})
        self.assertState(first, "pending_payment")

    def test_payment_that_the_bank_takes_back(self) -> None:
        order = self.order()
        self.read(paid(self.total(order), order.number))
        back = entry(self.total(order), transaction(self.total(order), order.number).replace("CRDT", "DBIT"), ref="R1",
                     more="<RvslInd>true</RvslInd>", sign="DBIT")  # fmt: skip
        self.assertEqual(self.read(back), ["review"])
        self.assertState(order, "review")
        self.assertEqual(engine.paid_amount(order), 0)
        self.assertEqual(self.read(back), ["duplicate"])

    def test_our_own_refund_that_came_back_pays_no_order(self) -> None:
        order = self.order()
        line = paid(self.total(order), order.number).replace("<RmtInf>", "<RtrInf/><RmtInf>")
        self.assertEqual(self.read(line), ["unknown"])
        self.assertState(order, "pending_payment")

    def test_refund_that_the_seller_sent(self) -> None:
        order = self.order()
        self.read(paid(self.total(order), order.number))
        row = engine.refund(order, 100, "damaged", "seller")
        self.assertEqual(row.state, "pending")
        out = entry("1.00", transaction("1.00", order.number).replace("CRDT", "DBIT"), ref="O1", sign="DBIT")
        self.assertEqual(self.read(out, entry("9.00", ref="O2", sign="DBIT")), ["applied", "debit"])
        row.refresh_from_db()
        self.assertEqual(row.state, "done")
        self.assertEqual(self.read(out), ["debit"])

    def test_what_is_not_booked_yet_waits(self) -> None:
        order = self.order()
        for status in ("<Sts><Cd>PDNG</Cd></Sts>", "<Sts>PDNG</Sts>"):
            self.assertEqual(self.read(paid(self.total(order), order.number, more=status)), ["pending"])
        self.assertState(order, "pending_payment")
        self.assertEqual(self.read(paid(self.total(order), order.number, more="<Sts>BOOK</Sts>")), ["applied"])

    def test_several_payments_booked_as_one(self) -> None:
        orders = [self.order(), self.order()]
        sums = [self.total(order) for order in orders]
        cents = sum(order.total_amount for order in orders)
        details = [transaction(sum_, order.number) for sum_, order in zip(sums, orders, strict=True)]
        self.assertEqual(self.read(entry(decimal_text(cents, "EUR"), *details, ref="C1")), ["applied", "applied"])
        # Parts that do not add up to the booking are not believed.
        third = self.order()
        odd = entry("1.00", transaction(self.total(third), third.number), transaction("5.00", "x"), ref="C2")
        self.assertEqual(self.read(odd), ["unknown"])

    def test_dry_run_says_the_same_and_changes_nothing(self) -> None:
        order = self.order()
        lines = [paid(self.total(order), order.number), paid("1.00", "?", ref="D2")]
        told = [line.outcome for line in matching.reconcile(statement(*lines), dry_run=True)]
        self.assertEqual(told, ["applied", "unknown"])
        self.assertState(order, "pending_payment")
        self.assertFalse(PaymentEvent.objects.filter(source="statement").exists())
        self.assertEqual(self.read(*lines), told)

    def test_command(self) -> None:
        order = self.order()
        with tempfile.NamedTemporaryFile(suffix=".xml") as file:
            file.write(statement(paid(self.total(order), order.number)).getvalue())
            file.flush()
            out = io.StringIO()
            call_command("reconcile_statement", file.name, dry_run=True, stdout=out)
            self.assertState(order, "pending_payment")
            call_command("reconcile_statement", file.name, stdout=out)
        self.assertIn(order.number, out.getvalue())
        self.assertState(order, "confirmed")
        with self.assertRaises(CommandError), tempfile.NamedTemporaryFile() as empty:
            call_command("reconcile_statement", empty.name)
        with self.assertRaises(CommandError):
            call_command("reconcile_statement", "not-there.xml")


class UploadTest(StatementTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(staff())
        self.url = reverse("admin:payments_paymentevent_statement")

    def upload(self, content: bytes, **data: str) -> HttpResponse:
        return self.client.post(self.url, {"file": SimpleUploadedFile("statement.xml", content), **data})

    def test_first_what_would_happen_then_doing_it(self) -> None:
        order = self.order()
        content = statement(paid(self.total(order), order.number), paid("1.00", "<b>who</b>", ref="U2")).getvalue()
        self.assertContains(self.client.get("/back-office/payments/paymentevent/"), self.url)
        self.assertContains(self.upload(content, dry_run="on"), order.number)
        self.assertState(order, "pending_payment")
        self.assertContains(self.upload(content), order.number)
        self.assertState(order, "confirmed")

    def test_table(self) -> None:
        order = self.order()
        amount = self.total(order).replace(".", ",")
        content = f"Nr;Datum;Betrag;Währung;Zweck\n1;20.11.2026;{amount};EUR;{order.number}\n".encode()
        with patch.dict(SHOP["payment"], statements={"csv": COLUMNS}):
            self.assertContains(self.upload(content), order.number)
        self.assertState(order, "confirmed")

    def test_hostile_and_other_files(self) -> None:
        for content in (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', b"<a/>", b"a;b"):
            answer = self.upload(content)
            self.assertEqual(answer.status_code, 422)
            self.assertNotContains(answer, "root:", status_code=422)

    def test_only_who_may_change_orders(self) -> None:
        user = staff()
        user.is_superuser = False
        user.save()
        self.client.force_login(user)
        self.assertEqual(self.client.get(self.url).status_code, 403)


class UnmatchedTest(StatementTestCase):
    """Bookings that named no order, in the back office."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(staff())

    def booking(self, amount: str, text: str = "from Ada", *, ref: str = "Z1", currency: str = "EUR") -> PaymentEvent:
        self.assertEqual(self.read(paid(amount, text, ref=ref, currency=currency)), ["unknown"])
        return unmatched.bookings().last()

    def do(self, booking: PaymentEvent, deed: str, **data: str) -> str:
        url = reverse("admin:payments_paymentevent_do", args=[booking.pk, deed])
        answer = self.client.post(url, data, follow=True)
        self.assertEqual(answer.status_code, 200)
        return answer.content.decode()

    def page(self, booking: PaymentEvent) -> str:
        return self.client.get(reverse("admin:payments_paymentevent_change", args=[booking.pk])).content.decode()

    def test_assigned_to_its_order_pays_it_once(self) -> None:
        order, other = self.order(), self.order()
        booking = self.booking(self.total(order))
        self.assertIn("do/assign/", self.page(booking))
        for text in (order.number.lower(), order.number, other.number):
            self.do(booking, "assign", number=f" {text} ")
        self.assertState(order, "confirmed")
        self.assertState(other, "pending_payment")
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)
        self.assertEqual(order.events.get(kind="transfer_assigned").actor, "staff@example.com")
        self.assertNotIn("do/", self.page(booking).split("object-tools")[-1].split("</ul>")[0])
        self.assertIn(order.number, self.page(booking))
        # The booking stays as it came, and the statement may be read again.
        self.assertEqual(self.read(paid(self.total(order), "from Ada", ref="Z1")), ["duplicate"])
        booking.refresh_from_db()
        self.assertEqual((booking.outcome, booking.attempt), ("unknown", None))

    def test_wrong_amounts_and_currencies_go_to_review_as_everywhere(self) -> None:
        for number, (more, currency) in enumerate(((-1, "EUR"), (1, "EUR"), (0, "CHF"))):
            order = self.order()
            page = self.do(self.booking(self.total(order, more), ref=f"A{number}", currency=currency), "assign",
                           number=order.number)  # fmt: skip
            self.assertIn("messagelist", page)
            self.assertState(order, "review")
            self.assertEqual(order.mails.get(kind="order-review").context["reason"], "amount_mismatch")

    def test_second_transfer_and_one_that_the_seller_had_seen(self) -> None:
        order = self.order()
        engine.received(order, actor="seller")
        first, second = (self.booking(self.total(order), ref=f"S{number}") for number in (1, 2))
        self.assertEqual(unmatched.assign(first, order, actor="seller"), "stale")
        self.assertState(order, "confirmed")
        self.assertEqual(unmatched.assign(second, order, actor="seller"), "review")
        self.assertEqual(engine.paid_amount(order), 2 * order.total_amount)

    def test_late_for_an_order_that_was_let_go_or_cancelled(self) -> None:
        order = self.order()
        engine.expire_due(timezone.now() + timedelta(days=40))
        self.assertEqual(unmatched.assign(self.booking(self.total(order)), order, actor="seller"), "applied")
        self.assertState(order, "confirmed")
        other = self.order()
        engine.cancel(other, actor="seller")
        self.assertEqual(unmatched.assign(self.booking(self.total(other), ref="Z2"), other, actor="seller"), "applied")
        self.assertEqual([row.amount for row in other.refunds.all()], [other.total_amount])

    def test_wrong_numbers_are_said_beside_the_field(self) -> None:
        booking, card = self.booking("1.00"), an_order()
        engine.start(card, "card")
        for number in ("", "ML-2026-999999", "' OR 1=1", card.number):
            self.assertIn("errorlist", self.do(booking, "assign", number=number), number)
        self.assertEqual(unmatched.waiting().count(), 1)

    def test_orders_that_wait_for_exactly_this_are_proposed(self) -> None:
        order = self.order()
        form = self.client.get(
            reverse("admin:payments_paymentevent_do", args=[self.booking(self.total(order)).pk, "assign"])
        )
        self.assertContains(form, order.number)
        self.assertContains(form, "from Ada")

    def test_set_aside_with_a_reason_and_assigned_later_after_all(self) -> None:
        order = self.order()
        booking = self.booking(self.total(order))
        self.assertIn("errorlist", self.do(booking, "set-aside", reason=" "))
        self.assertEqual(unmatched.waiting().count(), 1)
        for reason in ("<b>rent</b>", "another reason"):
            self.do(booking, "set-aside", reason=reason)
        kept = PaymentEvent.objects.get(outcome="set_aside")
        self.assertEqual((kept.payload["reason"], kept.payload["by"]), ("<b>rent</b>", "staff@example.com"))
        self.assertIn("&lt;b&gt;rent", self.page(booking))
        self.assertEqual(unmatched.waiting().count(), 0)
        self.assertState(order, "pending_payment")
        self.do(booking, "assign", number=order.number)
        self.assertState(order, "confirmed")
        self.assertEqual(unmatched.set_aside(booking, "too late", actor="seller"), "duplicate")

    def test_what_was_taken_back_and_what_came_back(self) -> None:
        order = self.order()
        self.read(paid(self.total(order), order.number))
        back = entry(self.total(order), transaction(self.total(order)).replace("CRDT", "DBIT"), ref="R1",
                     more="<RvslInd>true</RvslInd>", sign="DBIT")  # fmt: skip
        ours = paid("3.00", "x", ref="R2").replace("<RmtInf>", "<RtrInf/><RmtInf>")
        self.assertEqual(self.read(back, ours), ["unknown", "unknown"])
        taken, came = unmatched.waiting()
        self.assertEqual(unmatched.assign(came, order, actor="seller"), "unknown")
        self.assertNotIn("do/assign/", self.page(came))
        self.assertIn("do/set-aside/", self.page(came))
        self.assertEqual(unmatched.assign(taken, order, actor="seller"), "review")
        self.assertState(order, "review")
        self.assertEqual(engine.paid_amount(order), 0)

    def test_found_on_the_first_page_and_in_the_list(self) -> None:
        order = self.order()
        booking, other = self.booking(self.total(order)), self.booking("2.00", "who", ref="Z2")
        self.assertContains(self.client.get("/back-office/"), "?booking=waiting")
        unmatched.assign(booking, order, actor="seller")
        unmatched.set_aside(other, "rent", actor="seller")
        third = self.booking("3.00", "whose", ref="Z3")
        for name, found in (("waiting", third), ("assigned", booking), ("set-aside", other)):
            page = self.client.get(f"/back-office/payments/paymentevent/?booking={name}")
            self.assertEqual([event.pk for event in page.context["cl"].result_list], [found.pk], name)
            self.assertContains(page, found.payload["text"])

    def test_only_who_may_change_orders_and_only_bookings(self) -> None:
        order = self.order()
        booking = self.booking(self.total(order))
        event = PaymentEvent.objects.create(
            provider="scripted", event_id="e", kind="unknown", source="webhook", outcome="unknown"
        )
        for deed in ("assign", "set-aside"):
            self.do(event, deed, number=order.number, reason="x")
            url = reverse("admin:payments_paymentevent_do", args=[booking.pk, deed])
            self.assertEqual(self.client.get(url.replace(f"/{booking.pk}/", "/²/")).status_code, 404)
            with override_settings(BACK_OFFICE_SECOND_FACTOR=True):
                self.assertEqual(self.client.post(url, {"number": order.number, "reason": "x"}).status_code, 302)
        user = staff()
        user.is_superuser = False
        user.save()
        self.client.force_login(user)
        for deed in ("assign", "set-aside"):
            url = reverse("admin:payments_paymentevent_do", args=[booking.pk, deed])
            self.assertEqual(self.client.post(url, {"number": order.number, "reason": "x"}).status_code, 403)
        self.assertState(order, "pending_payment")
        self.assertEqual(PaymentEvent.objects.filter(outcome="set_aside").count(), 0)


class TableTest(StatementTestCase):
    def rows(self, *rows: str, **changes: object) -> list[str]:
        named = COLUMNS | changes
        text = "\n".join(["Konto;123", "", "Nr;Datum;Betrag;Währung;Zweck", *rows])
        with patch.dict(SHOP["payment"], statements={"csv": named}):
            return [line.outcome for line in matching.reconcile(io.BytesIO(text.encode(str(named["encoding"]))))]

    def test_rows_are_booked_once(self) -> None:
        order = self.order()
        amount = self.total(order).replace(".", ",")
        rows = [f'1;20.11.2026;{amount};EUR;"Bestellung ""{order.number}"""', "2;20.11.2026;-5,00;EUR;Miete", ";;;;"]
        self.assertEqual(self.rows(*rows), ["applied", "debit"])
        self.assertEqual(self.rows(*rows), ["duplicate", "debit"])

    def test_cells_that_no_database_keeps(self) -> None:
        with self.assertRaisesRegex(StatementError, "line 4"):
            self.rows("1;20.11.2026;1,00;EUR;a\0b")
        self.assertEqual(self.rows("1;20.11.2026;1,00;EUROS;who"), ["unknown"])
        kept = PaymentEvent.objects.get()
        self.assertEqual((kept.amount, kept.currency), (None, ""))

    def test_long_references_count_each_for_itself(self) -> None:
        same = "x" * 300
        rows = [f"{same}{number};20.11.2026;1,00;EUR;a" for number in (1, 2)]
        self.assertEqual(self.rows(*rows), ["unknown", "unknown"])
        self.assertEqual(self.rows(*rows), ["duplicate", "duplicate"])

    def test_old_encodings(self) -> None:
        order = self.order()
        amount = self.total(order).replace(".", ",")
        self.assertEqual(
            self.rows(f"1;20.11.26;{amount};EUR;Grüße {order.number}", encoding="windows-1252"), ["applied"]
        )

    def test_without_columns_in_the_specification_a_csv_is_refused(self) -> None:
        with patch.dict(SHOP["payment"], statements={}), self.assertRaises(StatementError):
            list(matching.reconcile(io.BytesIO(b"Nr;Datum\n1;2\n")))

    def test_files_that_are_no_such_table(self) -> None:
        for content in (
            b"",
            b"Nr;Datum\n",
            b"\xff\xfe\x00x",
            b'Nr;Datum;Betrag;W\xc3\xa4hrung;Zweck\n"open',
            b"a\n" * 99,
        ):
            with self.assertRaises(StatementError, msg=content):
                list(table.entries(io.BytesIO(content), COLUMNS))


class AmountTest(SimpleTestCase):
    @settings(deadline=None)
    @given(st.integers(0, 10**11), st.sampled_from(["", "-", "+"]), st.booleans())
    def test_amounts_as_banks_write_them(self, cents: int, sign: str, swiss: bool) -> None:
        mark, thousands = (".", "'") if swiss else (",", ".")
        written = f"{cents // 100:,}".replace(",", thousands) + f"{mark}{cents % 100:02d}"
        self.assertEqual(table._amount(sign + written, mark, "EUR"), (sign, cents))

    @settings(deadline=None)
    @given(st.text(max_size=20))
    def test_any_other_text_is_no_amount(self, text: str) -> None:
        sign, amount = table._amount(text, ",", "EUR")
        self.assertTrue(amount is None or amount >= 0)
        self.assertIn(sign, ("", "-", "+"))


class HostileTest(SimpleTestCase):
    def refused(self, content: bytes) -> str:
        with self.assertRaises(StatementError) as caught:
            list(camt.entries(io.BytesIO(content)))
        return str(caught.exception)

    def test_entities_and_document_types_are_refused_before_anything_is_expanded(self) -> None:
        laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
        for name, dtd in (
            ("billion laughs", f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'),
            ("external entity", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
            ("external document type", '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'),
            ("parameter entity", '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>'),
            ("plain document type", "<!DOCTYPE x>"),
        ):
            said = self.refused(f'<?xml version="1.0"?>{dtd}<x>&l9;&e;</x>'.encode())
            self.assertIn("refused", said, name)
            self.assertNotIn("root:", said)

    def test_nonsense(self) -> None:
        whole = statement(paid("1.00", "x")).getvalue()
        for content in (
            b"",
            b"<",
            b"<a/>",
            whole[:-30],
            whole.replace(b"001.08", b"001.99"),
            whole.replace(b"UTF-8", b"no-such-encoding"),
            b"<a>" * 10_000,
            b"\x00\x01\x02",
            whole.replace(b"Ustrd>x", b"Ustrd>\x00"),
        ):
            self.refused(content)

    def test_entries_that_lack_everything_are_still_entries(self) -> None:
        found = list(camt.entries(statement("<Ntry/>", '<Ntry><Amt Ccy="EUR">1e5</Amt></Ntry>', entry("NaN"))))
        self.assertEqual([(each.amount, each.credit) for each in found], [(None, False), (None, False), (None, True)])

    @settings(deadline=None)
    @given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<&>\r", categories=["L", "N", "P", "Z"])))
    def test_any_text_is_read_as_it_stands(self, text: str) -> None:
        (found,) = camt.entries(statement(paid("1.00", text.replace("\n", " "), ref="Z")))
        self.assertTrue(all(len(each) <= 1500 for each in found.texts))

    def test_a_huge_file_does_not_stay_in_memory(self) -> None:
        one = paid("1.00", "x" * 200, ref="").encode()
        start, _, end = statement("<!--here-->").getvalue().partition(b"<!--here-->")

        class Endless(io.RawIOBase):
            """Ten thousand entries, made while they are read."""

            def __init__(self) -> None:
                self.parts = self.pieces()
                self.rest = b""

            def pieces(self) -> Iterator[bytes]:
                yield start
                for _ in range(100):
                    yield one * 100
                yield end

            def readable(self) -> bool:
                return True

            def readinto(self, buffer) -> int:
                while not self.rest:
                    if (piece := next(self.parts, None)) is None:
                        return 0
                    self.rest = piece
                count = min(len(buffer), len(self.rest))
                buffer[:count], self.rest = self.rest[:count], self.rest[count:]
                return count

        tracemalloc.start()
        count = sum(1 for _ in camt.entries(io.BufferedReader(Endless())))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertEqual(count, 10_000)
        self.assertLess(peak, 2_000_000)  # the file has seven million characters


class NumbersTest(ShoppingTestCase):
    def test_words_around_a_number_do_not_hide_it_and_do_not_make_one(self) -> None:
        order = an_order()
        prefix, year, number = order.number.split("-")
        for text, found in (
            (f"XX{order.number}", set()),
            (f"{order.number}/1", {order.number}),
            (f"({order.number})", {order.number}),
            (f"{prefix}{year}", set()),
            (f"{prefix} {year} {number[:3]} {number[3:]}", {order.number}),
        ):
            self.assertEqual(set(matching.numbers_in(text, matching.series())), found, text)

    def test_folder_of_files_is_not_read(self) -> None:
        with self.assertRaises(CommandError):
            call_command("reconcile_statement", str(Path(tempfile.gettempdir())))
