from django.urls import path

from returns import views

app_name = "returns"
urlpatterns = [
    path("", views.withdraw, name="withdraw"),
    path("confirm/", views.confirm, name="confirm"),
    path("received/<str:token>/", views.received, name="received"),
]
