"""The paths of the reactions context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
