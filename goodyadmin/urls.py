"""The root URL configuration. The URLs of the dashboard are in orders.urls."""

from django.contrib import admin
from django.urls import include, path

handler400 = "orders.views.errors.bad_request"
handler403 = "orders.views.errors.permission_denied"
handler404 = "orders.views.errors.not_found"
handler500 = "orders.views.errors.server_error"

urlpatterns = [
    # Before the admin, whose login it replaces.
    path("", include("orders.urls")),
    path("django-admin/", admin.site.urls),
]
