from django.urls import path

from accounts import cards, privacy, views

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("register/", views.register, name="register"),
    path("data/", privacy.data, name="data"),
    path("delete/", privacy.delete, name="delete"),
    path("cards/<str:key>/remove/", cards.remove, name="remove-card"),
    path("verify/", views.send_verification, name="send-verification"),
    path("verify/<str:token>/", views.verify, name="verify"),
    path("password/", views.password, name="password"),
    path("password/<str:uid>/<str:token>/", views.password_set, name="password-set"),
]
