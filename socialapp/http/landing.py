"""The landing page: where to find what, and how to log in."""

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from socialapp.http.problems import reading_only


@reading_only
def landing(request: HttpRequest) -> HttpResponse:
    """Links to the API, its docs and the admin site, and a tour with curl."""
    context = {
        "public_url": settings.PUBLIC_URL,
        "socket_url": settings.PUBLIC_URL.replace("http", "ws", 1),
        "embedded": settings.EMBEDDED,
        "admin_url": reverse("admin:index") if settings.SERVES_ADMIN else "",
        "demo": _demo_account(),
    }
    return render(request, "landing.html", context)


def _demo_account() -> dict[str, str] | None:
    """`username` and `password` of the demo account recorded by `./run`; None without demo data, or in production."""
    if not settings.EMBEDDED:
        return None
    try:
        account = json.loads((settings.DATA_DIR / "demo.json").read_text())
        return {"username": account["username"], "password": account["password"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
