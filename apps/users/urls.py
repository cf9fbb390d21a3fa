"""The paths of the users context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
