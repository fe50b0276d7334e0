from django.urls import path

from . import views

app_name = "orders"
urlpatterns = [
    path("<str:token>/", views.show, name="show"),
    path("<str:token>/thanks/", views.thanks, name="thanks"),
    path("<str:token>/pay/", views.pay_again, name="pay"),
    path("<str:token>/qr-bill/", views.qr_bill, name="qr-bill"),
    path("<str:token>/leave/", views.leave, name="leave"),
    path("<str:token>/account/", views.account, name="account"),
    path("<str:token>/cancel/", views.cancel, name="cancel"),
    path("<str:token>/reorder/", views.reorder, name="reorder"),
]
