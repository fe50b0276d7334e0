"""The demo provider's own site. It stands in the shop's process, but no page of the shop is part of it."""

from django.urls import path

from . import frame, views, wallet

app_name = "demo"
urlpatterns = [
    path("demo-provider/fields/", frame.frame, name="frame"),
    path("demo-provider/tokens/", frame.token, name="token"),
    path("demo-provider/wallet/<str:ref>/", wallet.page, name="wallet"),
    path("demo-provider/<str:ref>/", views.page, name="page"),
    path("demo-provider/<str:ref>/challenge/", views.challenge, name="challenge"),
    path("demo-provider/<str:ref>/leave/", views.leave, name="leave"),
]
