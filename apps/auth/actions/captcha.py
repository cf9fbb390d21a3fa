"""A captcha before sign-up, off by default: any service with the siteverify protocol of hCaptcha and Turnstile.

Sources: docs.hcaptcha.com (Verify the User Response), developers.cloudflare.com/turnstile (server-side validation).
"""

import requests
import structlog
from django.conf import settings

from socialapp.core.errors import Invalid, Unavailable

log = structlog.get_logger()

_SECONDS = 5


def check_captcha(response: str, *, address: str) -> None:
    """Invalid unless the service says that a person solved the captcha; Unavailable when it does not answer.

    `response` is what its widget gave the browser; the service counts each once. Nothing while no captcha is set up.
    """
    if not settings.CAPTCHA_PROVIDER:
        return
    if not response.strip():
        raise Invalid.of("captcha", "captcha_required", "Solve the captcha first.")
    if not _is_solved(response, address):
        raise Invalid.of("captcha", "captcha_invalid", "The captcha was not solved, or too long ago; try again.")


def _is_solved(response: str, address: str) -> bool:
    sent = {"secret": settings.CAPTCHA_SECRET, "response": response, "remoteip": address}
    if settings.CAPTCHA_PROVIDER == "hcaptcha":
        sent["sitekey"] = settings.CAPTCHA_SITE_KEY  # else a captcha solved on another site would count
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(settings.CAPTCHA_VERIFY_URL, data=sent, timeout=_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        log.warning("auth.captcha_away", error=repr(error))
        raise Unavailable("the captcha cannot be checked right now", code="captcha_unavailable") from None
    return isinstance(found, dict) and found.get("success") is True
