"""The paths of the search context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
