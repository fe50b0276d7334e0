from django.urls import path

from checkout import views

app_name = "checkout"
urlpatterns = [
    path("", views.start, name="start"),
    path("<slug:slug>/", views.step, name="step"),
]
