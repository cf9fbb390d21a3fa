"""The paths of the metrics context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
