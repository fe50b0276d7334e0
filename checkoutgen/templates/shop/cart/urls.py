from django.urls import path

from cart import views

app_name = "cart"
urlpatterns = [
    path("", views.show, name="show"),
    path("add/", views.add, name="add"),
    path("update/", views.update, name="update"),
    path("remove/", views.remove, name="remove"),
    path("undo/", views.undo, name="undo"),
    path("later/", views.later, name="later"),
    path("coupon/", views.coupon, name="coupon"),
    path("open/<str:token>/", views.continue_here, name="continue"),
]
