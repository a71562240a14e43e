"""Addresses of pages."""

from django.urls import path

urlpatterns = []
