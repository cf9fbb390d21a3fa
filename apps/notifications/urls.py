"""The paths of the notifications context, under /v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
