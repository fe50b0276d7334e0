"""A copy of what is known about a customer, and its erasure (articles 15, 17 and 20, Regulation (EU) 2016/679)."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import throttle
from accounts.forms import ConfirmForm
from accounts.models import User
from common.http import SeeOther
from common.texts import localized
from orders.models import Order
from payments import saved


def export(user: User) -> dict[str, Any]:
    """Plain JSON types; amounts in minor units. What only means something to machines stays out."""
    return {
        "account": {
            "email": user.email,
            "name": user.name,
            "phone": user.phone,
            "language": user.language,
            "address": user.address,
            "created": user.created_at.isoformat(timespec="seconds"),
            "mailbox_proven": user.verified_at.isoformat(timespec="seconds") if user.verified_at else "",
        },
        "orders": [_order(order) for order in user.orders.prefetch_related("lines", "refunds", "fulfilments")],
        "saved_ways_to_pay": saved.export(user),
        "carts": [cart.data | {"articles": [line.sku for line in cart.lines.all()]} for cart in _open_carts(user)],
    }


def _order(order: Order) -> dict[str, Any]:
    plain = ("number", "state", "market", "language", "currency", "email", "phone", "company", "note", "coupon_code")
    sums = ("goods_amount", "discount_amount", "delivery_amount", "tax_amount", "total_amount")
    return {
        **{name: getattr(order, name) for name in (*plain, *sums, "payment_method", "terms")},
        "shipping_address": order.shipping_address,
        "billing_address": order.billing_address,
        "delivery": order.delivery.get("method", ""),
        "placed": order.placed_at.isoformat(timespec="seconds"),
        "lines": [
            {"article": localized(line.title), "sku": line.sku, "quantity": line.quantity, "amount": line.total_amount}
            for line in order.lines.all()
        ],
        "parcels": [each.tracking_number for each in order.fulfilments.all()],
        "refunds": [{"amount": each.amount, "state": each.state} for each in order.refunds.all()],
    }


def _open_carts(user: User) -> Any:
    return user.carts.filter(ordered_at=None)


@transaction.atomic
def erase(user: User) -> None:
    """The account and all that hangs on it, at the payment providers too. Orders stay, without their owner: books are
    kept as long as the law says."""
    saved.remove(user.saved_methods.all())
    _open_carts(user).delete()
    user.delete()


@never_cache
@login_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    answer = JsonResponse(export(request.user), json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer.headers["Content-Disposition"] = 'attachment; filename="data.json"'
    return answer


@never_cache
@login_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Asked once more, with the password: nobody at a device left open deletes an account by a click."""
    user = request.user
    if user.is_staff:
        raise PermissionDenied("the back office removes its own accounts")
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if throttle.blocked(request, user.email):
            form.add_error(None, _("Too many tries. Wait 15 minutes and try again."))
        elif not user.check_password(form.cleaned_data["password"]):
            throttle.failed(request, user.email)
            form.add_error("password", _("This is not the password of your account."))
        else:
            erase(User.objects.get(pk=user.pk))
            logout(request)
            messages.success(request, _("Your account is deleted."))
            return SeeOther(reverse("catalogue:home"))
    return render(request, "accounts/delete.html", {"form": form}, status=422 if form.errors else 200)
