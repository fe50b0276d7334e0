from django.urls import path

from legal import views

app_name = "legal"
urlpatterns = [
    path("legal/<slug:page>/", views.page, name="page"),
    path("contact/", views.contact, name="contact"),
]
