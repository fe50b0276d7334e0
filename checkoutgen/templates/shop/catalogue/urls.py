from django.urls import path

from catalogue import crawlers, views

app_name = "catalogue"
urlpatterns = [
    path("", views.home, name="home"),
    path("c/<slug:category>/", views.category, name="category"),
    path("p/<slug:handle>/", views.product, name="product"),
    path("market/", views.market, name="market"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
]
