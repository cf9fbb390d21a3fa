"""The paths of the comments context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
