"""Sign in and out, accounts, passwords. Every answer about an unknown address reads like that about a known one."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import links, throttle
from accounts.forms import EmailForm, NewPasswordForm, RegisterForm, SignInForm
from accounts.models import User, normal_email
from accounts.signup import sign_up
from cart import session
from common.http import SeeOther
from orders import links as order_links
from payments import saved

READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _next(request: HttpRequest) -> str:
    """The page to go on to: one of this shop, else empty."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if safe and url.startswith("/") else ""


def _form(request: HttpRequest, template: str, form: object, **context: object) -> HttpResponse:
    invalid = bool(getattr(form, "errors", None))
    return render(request, template, {"form": form, "next": _next(request), **context}, status=422 if invalid else 200)


def _enter(request: HttpRequest, user: User) -> None:
    """Signed in: a fresh session, one cart, and the guest orders of a proven mailbox."""
    login(request, user)
    session.merge(request, user)
    user.join_orders()


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    orders = [(order, order_links.token(order)) for order in user.orders.prefetch_related("lines")[:100]]
    return render(request, "accounts/home.html", {"orders": orders, "customer": user, "cards": saved.of(user)})


@never_cache
@sensitive_post_parameters("password")
@READ_OR_SEND
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if request.user.is_authenticated:
            return SeeOther(_next(request) or reverse("accounts:home"))
        return _form(request, "accounts/sign_in.html", SignInForm(initial={"email": _known_email(request)}))
    form = SignInForm(request.POST)
    if form.is_valid():
        email = normal_email(form.cleaned_data["email"])
        if throttle.blocked(request, email):
            form.add_error(None, _("Too many tries. Wait 15 minutes, or choose a new password by e-mail."))
        elif (user := authenticate(request, username=email, password=form.cleaned_data["password"])) is None:
            throttle.failed(request, email)
            form.add_error(
                "password",
                _("This e-mail address and password do not belong together. Check both, or choose a new password."),
            )
        else:
            throttle.forget(request, email)
            _enter(request, user)
            return SeeOther(_next(request) or reverse("accounts:home"))
    return _form(request, "accounts/sign_in.html", form)


def _known_email(request: HttpRequest) -> str:
    """What the visitor typed in the checkout is not asked twice."""
    cart = session.current(request)
    return (cart.data.get("contact") or {}).get("email", "") if cart else ""


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    session.use(request, None)  # the next person at this device does not see the cart
    messages.success(request, _("You are signed out."))
    return SeeOther(reverse("catalogue:home"))


@never_cache
@sensitive_post_parameters("password")
@READ_OR_SEND
def register(request: HttpRequest) -> HttpResponse:
    form = RegisterForm(request.POST or None, initial={"email": _known_email(request)})
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if throttle.blocked(request, email):
            form.add_error(None, _("Too many tries. Wait 15 minutes and try again."))
        else:
            throttle.failed(request, email)  # counts tries, not mistakes: every one of them sends a mail
            sign_up(email, form.cleaned_data["password"], _language())
            return _mail_sent(request, email)
    return _form(request, "accounts/register.html", form)


def _mail_sent(request: HttpRequest, email: str) -> HttpResponse:
    text = _("We sent an e-mail to %(email)s. Open the link in it to go on. Not there? Look into the spam folder.")
    messages.success(request, text % {"email": email})
    query = urlencode({"next": _next(request)}) if _next(request) else ""
    return SeeOther(reverse("accounts:sign-in") + (f"?{query}" if query else ""))


@login_required
@require_POST
def send_verification(request: HttpRequest) -> HttpResponse:
    if request.user.verified_at is None and not throttle.blocked(request, request.user.email):
        throttle.failed(request, request.user.email)  # counts tries: every one of them sends a mail
        links.send_verification(request.user, _language())
    return _mail_sent(request, request.user.email)


@never_cache
@require_safe
def verify(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail: opened by whoever is signed in to that account, it proves the mailbox."""
    user = links.user_to_verify(token)
    if user is None:
        messages.error(request, _("This link has expired. Sign in and ask for a new one."))
        return SeeOther(reverse("accounts:home"))
    if request.user != user:
        return SeeOther(f"{reverse('accounts:sign-in')}?{urlencode({'next': request.path})}")
    if user.verified_at is None:
        user.verified_at = timezone.now()
        user.save(update_fields=["verified_at"])
        user.join_orders()
        links.send_account_created(user, _language())
    messages.success(request, _("Your e-mail address is confirmed. Your earlier orders with it are listed here."))
    return SeeOther(reverse("accounts:home"))


@never_cache
@READ_OR_SEND
def password(request: HttpRequest) -> HttpResponse:
    """Ask for a link to choose a new password."""
    form = EmailForm(request.POST or None, initial={"email": _known_email(request)})
    if request.method == "POST" and form.is_valid():
        email = normal_email(form.cleaned_data["email"])
        if throttle.blocked(request, email):
            form.add_error(None, _("Too many tries. Wait 15 minutes and try again."))
        else:
            throttle.failed(request, email)  # counts tries: every one of them may send a mail
            user = User.objects.filter(email=email, is_active=True).first()
            if user is not None:
                links.send_password_reset(user, _language())
            messages.success(
                request,
                _("If there is an account for %(email)s, we sent a link to choose a new password.")
                % {"email": form.cleaned_data["email"]},
            )
            return SeeOther(reverse("accounts:sign-in"))
    return _form(request, "accounts/password.html", form)


@never_cache
@sensitive_post_parameters("password")
@READ_OR_SEND
def password_set(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """The link of the mail: choose the password. It also proves the mailbox."""
    user = links.user_to_reset(uid, token)
    if user is None:
        messages.error(request, _("This link was used already or has expired. Ask for a new one here."))
        return SeeOther(reverse("accounts:password"))
    form = NewPasswordForm(request.POST or None, email=user.email)
    if request.method == "POST" and form.is_valid():
        user.set_password(form.cleaned_data["password"])
        if user.verified_at is None:  # whoever opened the account may not be who reads its mails
            saved.remove(user.saved_methods.all())
        user.verified_at = user.verified_at or timezone.now()
        user.save(update_fields=["password", "verified_at"])
        throttle.forget(request, user.email)
        _enter(request, user)
        messages.success(request, _("Your new password is set and you are signed in."))
        return SeeOther(reverse("accounts:home"))
    return _form(request, "accounts/password_set.html", form, customer=user)
