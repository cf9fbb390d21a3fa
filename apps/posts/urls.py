"""The paths of the posts context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
