"""A password alone does not open the back office."""

import re
from io import StringIO
from unittest.mock import patch

from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client, TestCase, override_settings
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import SignInFailure
from backoffice.models import RecoveryCode
from backoffice.second_factor import inside

START = "/back-office/"
ASK = "/back-office/second-factor/"
SET_UP = "/back-office/second-factor/set-up/"
CODES = "/back-office/second-factor/codes/"
PASSWORD = "a long enough word"


# Real passwords are slow to check, which is not what is tested here.
FAST = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@override_settings(BACK_OFFICE_SECOND_FACTOR=True, OTP_TOTP_THROTTLE_FACTOR=0, PASSWORD_HASHERS=FAST)
class SecondFactorTestCase(TestCase):
    def setUp(self) -> None:
        self.user = get_user_model().objects.create_superuser("staff@example.com", PASSWORD)

    def sign_in(self, client: Client | None = None, password: str = PASSWORD) -> HttpResponse:
        data = {"username": "staff@example.com", "password": password}
        return (client or self.client).post(f"/back-office/login/?next={START}", data)

    def app(self) -> TOTPDevice:
        return TOTPDevice.objects.get(user=self.user)

    def code(self, later: int = 0) -> str:
        """What the app shows now, or some half minutes later: each code counts once."""
        return f"{totp(self.app().bin_key, drift=later):06d}"

    def enrolled(self) -> list[str]:
        self.sign_in()
        self.client.get(SET_UP)
        page = self.client.post(SET_UP, {"code": self.code()})
        self.assertEqual(page.status_code, 200)
        return re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){5})</code>", page.content.decode())

    def opens(self, client: Client | None = None) -> bool:
        return (client or self.client).get(START).status_code == 200


class EnrolmentTest(SecondFactorTestCase):
    def test_password_leads_to_the_set_up_and_nowhere_else(self) -> None:
        self.sign_in()
        for address in (START, "/back-office/orders/order/", CODES):
            answer = self.client.get(address, follow=True)
            self.assertEqual(answer.redirect_chain[-1][0], SET_UP, address)

    def test_set_up_shows_the_key_and_wants_a_code_of_it(self) -> None:
        self.sign_in()
        page = self.client.get(SET_UP)
        self.assertContains(page, "<svg")
        self.assertContains(page, "otpauth://totp/")
        self.assertIn("no-store", page.headers["Cache-Control"])
        key = self.app().key
        for wrong in ("", "12345", "abcdef", "１２３４５６", "+12345", f"{(int(self.code()) + 1) % 10**6:06d}"):
            self.assertEqual(self.client.post(SET_UP, {"code": wrong}).status_code, 422, wrong)
        self.assertEqual(self.app().key, key)
        self.assertFalse(self.opens())

    def test_right_code_opens_and_gives_ten_recovery_codes(self) -> None:
        codes = self.enrolled()
        self.assertEqual((len(codes), len(set(codes))), (10, 10))
        self.assertTrue(self.opens())
        stored = set(RecoveryCode.objects.values_list("digest", flat=True))
        self.assertFalse(stored & {code.replace("-", "") for code in codes})

    def test_not_for_strangers_and_customers(self) -> None:
        customer = get_user_model().objects.create_user("buyer@example.com", PASSWORD)
        for login in (False, True):
            if login:
                self.client.force_login(customer)
            for address in (ASK, SET_UP, CODES):
                self.assertEqual(self.client.get(address).status_code, 303)
                self.assertEqual(self.client.post(address, {"code": "123456"}).status_code, 303)
        self.assertFalse(TOTPDevice.objects.exists())


class SignInTest(SecondFactorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.codes = self.enrolled()
        self.client = Client()
        self.sign_in()

    def give(self, code: str) -> HttpResponse:
        return self.client.post(f"{ASK}?next=/back-office/orders/order/", {"code": code})

    def test_code_of_the_app_opens_what_was_asked_for(self) -> None:
        self.assertFalse(self.opens())
        answer = self.give(self.code(1))
        self.assertEqual((answer.status_code, answer.headers["Location"]), (303, "/back-office/orders/order/"))
        self.assertTrue(self.opens())

    def test_a_code_counts_once(self) -> None:
        code = self.code(1)
        self.give(code)
        other = Client()
        self.sign_in(other)
        self.assertEqual(other.post(ASK, {"code": code}).status_code, 422)
        self.assertFalse(self.opens(other))

    def test_wrong_codes(self) -> None:
        for wrong in ("", "000000", "１２３４５６", "x" * 41, "\x00", self.codes[0][:-1]):
            self.assertEqual(self.give(wrong).status_code, 422, wrong)
        self.assertFalse(self.opens())

    def test_recovery_code_opens_once(self) -> None:
        self.assertEqual(self.give(self.codes[3].upper().replace("-", " ")).status_code, 303)
        self.assertTrue(self.opens())
        other = Client()
        self.sign_in(other)
        self.assertEqual(other.post(ASK, {"code": self.codes[3]}).status_code, 422)

    def test_recovery_code_of_somebody_else(self) -> None:
        other = get_user_model().objects.create_superuser("other@example.com", PASSWORD)
        code = RecoveryCode.renew(other)[0]
        self.assertEqual(self.give(code).status_code, 422)

    def test_guessing_is_stopped(self) -> None:
        for _ in range(10):
            self.give("000000")
        self.assertContains(self.give(self.code(1)), "errorlist", status_code=422)
        self.assertFalse(self.opens())
        SignInFailure.objects.all().delete()
        self.give(self.code(1))
        self.assertTrue(self.opens())

    @override_settings(OTP_TOTP_THROTTLE_FACTOR=60)
    def test_each_mistake_makes_the_app_s_codes_wait(self) -> None:
        self.give("000000")
        self.assertEqual(self.give(self.code(1)).status_code, 422)

    def test_guessing_of_passwords_is_stopped(self) -> None:
        client = Client()
        for _ in range(10):
            self.sign_in(client, "wrong")
        self.assertEqual(self.sign_in(client).status_code, 200)
        self.assertNotIn("_auth_user_id", client.session)

    def test_new_app_only_after_the_old_one(self) -> None:
        self.assertEqual(self.client.get(SET_UP).headers["Location"], ASK)
        self.assertEqual(self.client.post(SET_UP, {"code": "123456"}).status_code, 303)
        old = self.app().key
        self.give(self.codes[0])
        self.client.get(SET_UP)
        new = TOTPDevice.objects.get(user=self.user, confirmed=False)
        self.client.post(SET_UP, {"code": f"{totp(new.bin_key):06d}"})
        self.assertNotEqual(self.app().key, old)
        self.assertTrue(self.opens())
        self.assertEqual(RecoveryCode.objects.filter(user=self.user, used_at=None).count(), 10)

    def test_other_sessions_end_with_the_old_app(self) -> None:
        self.give(self.code(1))
        self.assertTrue(self.opens())
        call_command("reset_second_factor", "STAFF@example.com", stdout=StringIO())
        self.assertFalse(self.opens())
        self.assertFalse(RecoveryCode.objects.exists())
        with self.assertRaises(CommandError):
            call_command("reset_second_factor", "nobody@example.com")

    def test_new_recovery_codes_take_the_place_of_the_old(self) -> None:
        self.give(self.code(1))
        self.assertContains(self.client.get(CODES), "10")
        self.assertContains(self.client.post(CODES), "<code>")
        self.assertFalse(RecoveryCode.spend(self.user, self.codes[0]))

    def test_what_next_leads_to(self) -> None:
        for address in ("https://evil.example/", "//evil.example/back-office/", "/fr/", "", "/back-office\\@evil"):
            self.assertEqual(inside(address), START, address)
        self.assertEqual(inside("/back-office/orders/order/1/change/"), "/back-office/orders/order/1/change/")

    def test_keys_are_on_no_page_of_the_back_office(self) -> None:
        self.give(self.code(1))
        self.assertNotContains(self.client.get(START), "totp")
        self.assertEqual(self.client.get("/back-office/otp_totp/totpdevice/").status_code, 404)


class SwitchTest(TestCase):
    def test_off_in_development(self) -> None:
        with override_settings(BACK_OFFICE_SECOND_FACTOR=False):
            self.client.force_login(get_user_model().objects.create_superuser("staff@example.com", PASSWORD))
            self.assertEqual(self.client.get(START).status_code, 200)
            self.assertEqual(self.client.get(ASK).status_code, 303)

    def test_production_does_not_start_without(self) -> None:
        def found(**values: bool) -> list[str]:
            with override_settings(**values), patch.dict("os.environ", {"ALLOW_DEMO_PROVIDER": "1"}):
                return [each.id for each in run_checks(tags=["security"]) if each.id.startswith("backoffice")]

        self.assertEqual(found(DEVELOPMENT=False, BACK_OFFICE_SECOND_FACTOR=False), ["backoffice.E001"])
        self.assertEqual(found(DEVELOPMENT=False, BACK_OFFICE_SECOND_FACTOR=True), [])
        self.assertEqual(found(DEVELOPMENT=True, BACK_OFFICE_SECOND_FACTOR=False), [])
