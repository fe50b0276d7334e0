"""Addresses for providers: they know no language, and the way back takes the one of the order."""

from django.urls import path

from . import express, views

app_name = "payments"
urlpatterns = [
    path("webhooks/<slug:provider>/", views.webhook, name="webhook"),
    path("checkout/return/<str:key>/", views.back, name="return"),
    path("express/<slug:provider>/<str:token>/quote/", express.quote, name="quote"),
]
