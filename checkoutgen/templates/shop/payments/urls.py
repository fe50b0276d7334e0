from django.urls import path

from . import express, fields

app_name = "pay"  # "payments" are the addresses for providers (urls_plain)
urlpatterns = [
    path("order/<str:token>/pay/<slug:method_id>/", fields.page, name="fields"),
    path("express/<slug:method_id>/", express.start, name="express"),
    path("express/<slug:method_id>/leave/", express.leave, name="express-leave"),
    path("express/<slug:method_id>/back/", express.back, name="express-back"),
]
