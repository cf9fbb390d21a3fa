"""The landing page: what is where, and how to log in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def landing(request: HttpRequest) -> HttpResponse:
    """Links to the API, its docs and the admin site."""
    return render(request, "landing.html", {"public_url": settings.PUBLIC_URL, "embedded": settings.EMBEDDED})
