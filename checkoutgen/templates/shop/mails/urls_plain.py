"""The development mailbox knows no language: mails come in all of them."""

from django.urls import path

from . import mailbox

app_name = "mails"
urlpatterns = [
    path("mailbox/", mailbox.inbox, name="mailbox"),
    path("mailbox/<str:name>/", mailbox.show, name="mail"),
    path("mailbox/<str:name>/html/", mailbox.html, name="mail-html"),
]
