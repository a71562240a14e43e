"""The URLs of the project: health, metrics, REST API, feeds, admin site and pages."""

from django.contrib import admin
from django.urls import include, path

from booking.views import feed
from meeting_rooms.api import api
from meeting_rooms.health import healthz, readyz
from meeting_rooms.kernel.product import PRODUCT_NAME
from meeting_rooms.metrics import metrics
from realtime.asyncapi import asyncapi_json

admin.site.site_header = admin.site.site_title = PRODUCT_NAME

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("api/v1/asyncapi.json", asyncapi_json, name="asyncapi"),
    path("api/v1/", api.urls),
    path("feeds/<str:secret>.ics", feed, name="feed"),
    path("admin/", admin.site.urls),
    path("", include("frontend.urls")),
]
