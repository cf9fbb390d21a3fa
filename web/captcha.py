"""The frame with the captcha of sign-up. Providers' scripts need a looser policy than the client's document has."""

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from socialapp.http.problems import reading_only
from web.assets import assets
from web.shell import LANGUAGES


@dataclass(frozen=True)
class _Provider:
    """Sources: docs.hcaptcha.com (CSP Settings); developers.cloudflare.com/turnstile (Content Security Policy)."""

    script: str
    sources: str


_PROVIDERS = {
    "hcaptcha": _Provider("https://js.hcaptcha.com/1/api.js", "https://hcaptcha.com https://*.hcaptcha.com"),
    "turnstile": _Provider(
        "https://challenges.cloudflare.com/turnstile/v0/api.js", "https://challenges.cloudflare.com"
    ),
}


@reading_only
@xframe_options_sameorigin
def frame(request: HttpRequest) -> HttpResponse:
    """The widget of CAPTCHA_PROVIDER; 404 without one. Only pages of this site may have it in a frame."""
    provider = _PROVIDERS.get(settings.CAPTCHA_PROVIDER)
    if provider is None:
        raise Http404
    asked = request.GET.get("language", "")
    response = render(
        request,
        "client/captcha.html",
        {
            "provider": settings.CAPTCHA_PROVIDER,
            "site_key": settings.CAPTCHA_SITE_KEY,
            "script": provider.script,
            "own_script": assets().url("captcha.js"),
            "language": asked if asked in LANGUAGES else "en",
        },
    )
    response["Cache-Control"] = "no-cache"
    response["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {provider.sources}",
            f"frame-src {provider.sources}",
            f"style-src 'unsafe-inline' {provider.sources}",
            f"connect-src {provider.sources}",
            f"img-src data: {provider.sources}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
    return response
