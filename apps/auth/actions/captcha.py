"""An optional captcha before sign-up: a built-in proof of work, or any service with the siteverify protocol of hCaptcha
and Turnstile.

The work: find a number such that the SHA-256 of "<challenge>:<number>" begins with `difficulty` zero bits. It is
trivial for one person and makes thousands of sign-ups expensive.
Sources: Hashcash (A. Back, 2002); docs.hcaptcha.com (Verify the User Response), developers.cloudflare.com/turnstile
(server-side validation).
"""

import hashlib
import secrets
from dataclasses import dataclass

import requests
import structlog
from django.conf import settings
from django.core import signing

from apps.auth.actions.ciphers import keyed_digest
from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.errors import Invalid, NotFound, Unavailable

log = structlog.get_logger()

_SECONDS = 5
PROOF_OF_WORK = "proof_of_work"
CHALLENGE_SECONDS = 600
_SALT = "socialapp.auth.captcha"
_MAX_NUMBER = 20  # digits


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge of the proof of work; valid once, for `CHALLENGE_SECONDS`."""

    challenge: str
    difficulty: int


def new_challenge() -> Challenge:
    """A challenge for one sign-up; NotFound unless the captcha is a proof of work. Stateless until it is sent back."""
    if settings.CAPTCHA_PROVIDER != PROOF_OF_WORK:
        raise NotFound("sign-up needs no proof of work here")
    difficulty = settings.CAPTCHA_DIFFICULTY
    return Challenge(signing.dumps([secrets.token_urlsafe(12), difficulty], salt=_SALT), difficulty)


def check_captcha(response: str, *, address: str) -> None:
    """Invalid unless the service confirms that the captcha was solved; Unavailable if it does not answer.

    `response` is what its widget gave the browser, valid once. Does nothing if no captcha is configured.
    """
    if not settings.CAPTCHA_PROVIDER:
        return
    if not response.strip():
        raise Invalid.of("captcha", "captcha_required", "Solve the captcha first.")
    is_solved = _is_work_done(response) if settings.CAPTCHA_PROVIDER == PROOF_OF_WORK else _is_solved(response, address)
    if not is_solved:
        raise Invalid.of("captcha", "captcha_invalid", "The captcha was not solved, or has expired; try again.")


def _is_work_done(response: str) -> bool:
    """Whether "<challenge>:<number>" solves a challenge of ours that has not expired and was not used before."""
    challenge, _, number = response.strip().rpartition(":")
    if not (number.isascii() and number.isdigit() and len(number) <= _MAX_NUMBER):
        return False
    try:
        _, difficulty = signing.loads(challenge, salt=_SALT, max_age=CHALLENGE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    found = hashlib.sha256(f"{challenge}:{number}".encode()).digest()
    if int.from_bytes(found) >> (256 - difficulty):
        return False
    key = f"{settings.REDIS_PREFIX}rate:captcha:{keyed_digest(challenge, purpose='captcha')[:32]}"
    try:
        return bool(redis_client().set(key, 1, ex=CHALLENGE_SECONDS, nx=True))
    except redis_errors() as error:
        log.warning("auth.captcha_unknown", error=str(error))
        raise Unavailable("the captcha cannot be checked right now", code="captcha_unavailable") from None


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
