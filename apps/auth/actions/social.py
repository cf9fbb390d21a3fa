"""Log-in with Google, Facebook or GitHub: the authorization code flow with PKCE, run by the server.

Sources: RFC 6749 section 4.1, RFC 7636 (PKCE), RFC 9700 (best current practice).
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.hashers import make_password
from oauthlib.oauth2 import WebApplicationClient

from apps.auth.actions.accounts import create_user, mark_verified
from apps.auth.actions.names import MAX_USERNAME, NewAccount, checked_email, checked_username, email_key
from apps.auth.actions.sessions import Device, SignedIn, demand_code, refuse_banned, start_session
from apps.auth.actions.tokens import cipher
from apps.auth.models import User
from apps.auth.queries import existing_users
from socialapp.core.db import atomic
from socialapp.core.errors import Conflict, FieldError, Invalid, NotFound, Unauthenticated, Unavailable

STATE_SECONDS = 600
_SCOPES = {
    "google": ["openid", "email", "profile"],
    "facebook": ["email", "public_profile"],
    "github": ["read:user", "user:email"],
}
_TIMEOUT = 5.0
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class SocialProfile:
    """Who a provider says has logged in."""

    provider: str
    oauth_id: str
    email: str
    email_verified: bool
    name: str


def authorize(*, provider: str, redirect_uri: str) -> tuple[str, str]:
    """(where to send the user, the state that must come back). The state carries the PKCE secret, encrypted."""
    config = _config(provider)
    if _origin(redirect_uri) not in settings.ALLOWED_ORIGINS:
        raise Invalid.of("redirect_uri", "redirect_uri_invalid", "This address is not on one of our origins.")
    client = WebApplicationClient(config["client_id"])
    verifier = client.create_code_verifier(64)
    state = _seal({"provider": provider, "redirect_uri": redirect_uri, "verifier": verifier})
    url: str = client.prepare_request_uri(
        config["authorize_url"],
        redirect_uri=redirect_uri,
        scope=" ".join(_SCOPES[provider]),
        state=state,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
    )
    return url, state


def fetch_profile(*, provider: str, code: str, state: str, redirect_uri: str) -> SocialProfile:
    """Who logged in at the provider. Unauthenticated for a code or state that does not hold, Unavailable when the
    provider does not answer, Invalid when it gives no e-mail address."""
    config = _config(provider)
    sealed = _unseal(state)
    if (sealed.get("provider"), sealed.get("redirect_uri")) != (provider, redirect_uri):
        raise _refused("the state is not that of this log-in, or too old")
    try:
        with httpx.Client(timeout=_TIMEOUT, headers={"Accept": "application/json"}) as http:
            token = _token(http, config, code=code, redirect_uri=redirect_uri, verifier=str(sealed["verifier"]))
            return _profile(http, provider, config["user_url"], token)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"{provider} does not answer as it should", code="provider_unavailable") from error


def _token(http: httpx.Client, config: dict[str, str], *, code: str, redirect_uri: str, verifier: str) -> str:
    body = WebApplicationClient(config["client_id"]).prepare_request_body(
        code=code, redirect_uri=redirect_uri, code_verifier=verifier, client_secret=config["client_secret"]
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = http.post(config["token_url"], content=body, headers=headers)
    # GitHub answers a bad code with 200 and an error in the body.
    if answer.status_code in (400, 401, 403) or (answer.is_success and "error" in answer.json()):
        raise _refused("the provider does not accept this code")
    return str(answer.raise_for_status().json()["access_token"])


def _profile(http: httpx.Client, provider: str, url: str, token: str) -> SocialProfile:
    headers = {"Authorization": f"Bearer {token}"}
    told: dict[str, Any] = http.get(url, headers=headers).raise_for_status().json()
    email, verified = str(told.get("email") or ""), told.get("email_verified") is True
    if provider == "github":
        email, verified = _github_email(http.get(f"{url}/emails", headers=headers).raise_for_status().json())
    if not email:
        raise Invalid.of("code", "email_needed", f"{provider} tells us no e-mail address of yours.")
    name = "".join(char for char in str(told.get("name") or told.get("login") or "") if char.isprintable())
    oauth_id = told["sub"] if provider == "google" else told["id"]
    return SocialProfile(provider, str(oauth_id), checked_email(email), verified, name[:_MAX_NAME])


def _github_email(emails: list[dict[str, Any]]) -> tuple[str, bool]:
    primary = next((row for row in emails if row.get("primary")), None)
    return (str(primary["email"]), primary.get("verified") is True) if primary else ("", False)


def sign_in_social(*, profile: SocialProfile, otp: str | None, device: Device) -> tuple[SignedIn, bool]:
    """Signs in the account of a profile, joined or made if need be; the sign-in, and whether the account is new.

    Conflict when the address belongs to an account that cannot be joined; Forbidden when it is banned.
    """
    username = "" if _find(profile) else _free_username(profile)
    with atomic("auth"):
        user = _find(profile, lock=True)
        is_new = user is None
        if user is None:
            user = _sign_up(profile, username or _free_username(profile))
        refuse_banned(user)
        demand_code(user, otp)
        return start_session(user, device=device), is_new


def _find(profile: SocialProfile, *, lock: bool = False) -> User | None:
    users = existing_users().select_for_update() if lock else existing_users()
    known = users.filter(oauth_provider=profile.provider, oauth_id=profile.oauth_id).first()
    if known is not None:
        return known
    same_address = users.filter(email_key=email_key(profile.email)).first()
    if same_address is None:
        return None
    # Joined only if both have proven the address: else whoever signs up first with a stranger's address would share
    # the account with them, here or at the provider.
    if not (profile.email_verified and same_address.email_verified and same_address.oauth_id is None):
        detail = "There is an account with this e-mail address; log in with its password."
        raise Conflict(detail, code="email_taken", errors=[FieldError("email", "email_taken", detail)])
    if lock:
        same_address.oauth_provider, same_address.oauth_id = profile.provider, profile.oauth_id
        same_address.version += 1
        same_address.save(update_fields=["oauth_provider", "oauth_id", "version"])
    return same_address


def _sign_up(profile: SocialProfile, username: str) -> User:
    new = NewAccount(username, profile.email, profile.name, make_password(None), profile.provider, profile.oauth_id)
    user = create_user(new)
    if profile.email_verified:
        mark_verified(user)
    return user


def _free_username(profile: SocialProfile) -> str:
    """A free username after the profile's name or address, with a number where that is taken or not allowed."""
    stem = re.sub(r"[^A-Za-z0-9_.]", "", profile.name.replace(" ", ".")) or profile.email.partition("@")[0]
    stem = re.sub(r"[^A-Za-z0-9_.]", "", stem)[: MAX_USERNAME - 7]
    for candidate in (stem, *(f"{stem or 'user'}{secrets.randbelow(10**6):06}" for _ in range(10))):
        try:
            checked_username(candidate)
        except Invalid:
            continue
        if not User.objects.filter(username_key=candidate.casefold()).exists():
            return candidate
    raise Unavailable("no free username was found", code="no_username")


def _config(provider: str) -> dict[str, str]:
    config = settings.SOCIAL_PROVIDERS.get(provider)
    if not config or not config["client_id"]:
        raise NotFound("there is no log-in with this provider", code="provider_unknown")
    return dict(config)


def _origin(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _seal(content: dict[str, str]) -> str:
    return cipher("social state").encrypt(orjson.dumps(content)).decode()


def _unseal(state: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = orjson.loads(cipher("social state").decrypt(state.encode(), ttl=STATE_SECONDS))
    except (InvalidToken, ValueError):
        raise _refused("the state is not that of this log-in, or too old") from None
    return content


def _refused(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, code="social_refused")
