"""URLs: the API under /v1, internal paths at the root, the admin where auth is served, and the web client."""

from importlib import import_module

from django.conf import settings
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

import socialapp.http.converters  # noqa: F401  (registers the `id` converter)
from socialapp.core.contexts import served
from socialapp.http.internal import internal_call
from socialapp.http.landing import landing
from socialapp.http.routes import RouteTable
from socialapp.http.whole_schema import schema
from socialapp.ops import health

handler400 = "socialapp.http.problems.bad_request"
handler404 = "socialapp.http.problems.not_found"
handler500 = "socialapp.http.problems.server_error"


def _context_urls() -> tuple[list[URLPattern], list[URLPattern]]:
    """Every served context's `urlpatterns` (under /v1) and `root_urlpatterns`."""
    under_v1: list[URLPattern] = []
    at_root: list[URLPattern] = []
    for context in served():
        module = import_module(f"{context.app}.urls")
        under_v1.extend(module.urlpatterns)
        at_root.extend(getattr(module, "root_urlpatterns", []))
    return under_v1, at_root


_READING = ["get", "head"]
_under_v1, _at_root = _context_urls()

urlpatterns: list[URLPattern | URLResolver] = [
    RouteTable("v1/", _under_v1),
    *_at_root,
    path("v1/schema", schema, name="schema"),
    path(
        "v1/docs",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="docs.html", http_method_names=_READING),
        name="docs",
    ),
    path("internal/<str:context>/<str:contract>/<str:method>", internal_call),
    path("health/live", health.live),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics),
    path("about", landing, name="landing"),
    path("favicon.ico", RedirectView.as_view(url=static("favicon.svg"), permanent=False)),
]

if settings.SERVES_ADMIN:
    from django.contrib import admin

    urlpatterns += [path("admin/", admin.site.urls), path("admin", RedirectView.as_view(url="/admin/"))]

urlpatterns += [path("", include("web.urls"))]  # last: the catch-all for unknown paths
