"""The paths of the moderation context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
