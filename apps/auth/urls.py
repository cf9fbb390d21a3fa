"""The paths of the auth context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
