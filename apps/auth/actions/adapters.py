"""Adapters of django-allauth to our settings and tables: its extension points (`Default…Adapter`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import SimpleNamespace
from urllib.parse import urlsplit

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.context import request_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.http import HttpRequest

from apps.auth.access import user_by_login
from apps.auth.actions.ciphers import cipher
from apps.auth.models import User


@contextmanager
def allauth_request() -> Iterator[HttpRequest]:
    """The request to pass to allauth's functions: they need neither a Django session nor its URLs."""
    request = HttpRequest()
    parts = urlsplit(settings.PUBLIC_URL)
    request.META.update(SERVER_NAME=parts.hostname or "localhost", SERVER_PORT=str(parts.port or 80))
    request.session, request.allauth = {}, SimpleNamespace()  # type: ignore[assignment,attr-defined]
    with request_context(request):
        yield request


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by `actions.accounts`; allauth sends no mail by itself."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never through allauth's own views."""
        return False


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts the secrets of second factors under a key derived from SECRET_KEY; allauth would store them in plain
    text."""

    def encrypt(self, text: str) -> str:
        """The secret as it is stored."""
        return cipher("totp secret").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret itself."""
        return cipher("totp secret").decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: User) -> str:
        """What authenticator apps show."""
        return user.username

    def get_totp_issuer(self) -> str:
        """What authenticator apps show before it."""
        return str(settings.INSTANCE_NAME)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The relying party: the host of PUBLIC_URL, or "localhost" for an IP address, which is not allowed."""
        return {"id": relying_party(), "name": settings.INSTANCE_NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, str | bytes]:
        """The account as authenticators show it."""
        return {
            "id": str(user.id).encode(),
            "name": user.username,
            "display_name": user.full_name or user.username,
        }


def relying_party() -> str:
    """The domain that passkeys are bound to. Source: WebAuthn level 3, 5.1.2 (a valid domain, not an IP address)."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Takes providers from the settings only, so that a log-in costs no query for them."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The configured providers, or only the given one."""
        return [
            SocialApp(
                provider=config["kind"],
                provider_id=name,
                name=config["name"],
                client_id=config["client_id"],
                secret=config["client_secret"],
                settings={
                    "oauth_pkce_enabled": True,
                    "server_url": config.get("server_url", ""),
                    "verified_email": False,
                },
            )
            for name, config in settings.SOCIAL_PROVIDERS.items()
            if config["client_id"] and provider in (None, name)
        ]

    def get_requests_session(self) -> requests.Session:
        """A session with a timeout that follows no redirects and ignores the environment (proxies, .netrc)."""
        session: requests.Session = super().get_requests_session()
        session.trust_env = False
        session.max_redirects = 0  # raises at the first: only the operator decides where a provider is
        return session


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's password check, with a single query for the account."""

    def _authenticate(
        self, request: HttpRequest | None, *, username: str = "", password: str = "", **credentials: object
    ) -> User | None:
        found: User | None = self._check_password(user_by_login(username), password)
        return found

    def user_can_authenticate(self, user: User) -> bool:
        """Always true: a ban is reported only after the password was verified."""
        return True
