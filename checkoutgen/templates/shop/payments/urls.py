from django.urls import path

from . import fields

app_name = "pay"  # "payments" are the addresses for providers (urls_plain)
urlpatterns = [
    path("order/<str:token>/pay/<slug:method_id>/", fields.page, name="fields"),
]
