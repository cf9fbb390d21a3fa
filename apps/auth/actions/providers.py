"""allauth's providers with endpoints from the settings, and workarounds for bugs of 65.22."""

import hashlib
import hmac
from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.facebook.views import FacebookOAuth2Adapter
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.http import HttpRequest

# What allauth and requests raise when a provider refuses or answers something other than it should.
REFUSALS = (OAuth2Error, PermissionDenied, ValidationError, ProviderException)
FAULTS = (requests.RequestException, ImmediateHttpResponse, ValueError, LookupError, TypeError, ImproperlyConfigured)
_SCOPES = {
    "google": ["openid", "email", "profile"],
    "facebook": ["email", "public_profile"],
    "github": ["read:user", "user:email"],
}


class GoogleAdapter(GoogleOAuth2Adapter):  # type: ignore[misc]
    """Fetches the profile with the access token, from the URL in the settings."""

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Who logged in at Google."""
        return self.get_provider().sociallogin_from_response(request, self._fetch_user_info(token.token))


class FacebookAdapter(FacebookOAuth2Adapter):  # type: ignore[misc]
    """Sends the PKCE verifier: allauth requests tokens by GET here, but adds the verifier to POST data only."""

    access_token_method = "POST"  # noqa: S105 (an HTTP method)
    profile_url = ""

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Who logged in at Facebook. allauth's own flow hard-codes the URL of the Graph API."""
        proof = hmac.new(app.secret.encode(), token.token.encode(), hashlib.sha256).hexdigest()
        with get_adapter().get_requests_session() as http:
            answer = http.get(
                self.profile_url, headers={"Authorization": f"Bearer {token.token}"}, params={"appsecret_proof": proof}
            )
            answer.raise_for_status()
        return self.get_provider().sociallogin_from_response(request, answer.json())


_ADAPTERS: dict[str, type[OAuth2Adapter]] = {
    "google": GoogleAdapter,
    "facebook": FacebookAdapter,
    "github": GitHubOAuth2Adapter,
}


class Flow:
    """One log-in at one provider: the authorization code flow with PKCE, on the server side."""

    def __init__(self, request: HttpRequest, name: str, *, redirect_uri: str) -> None:
        self.request, self.config = request, settings.SOCIAL_PROVIDERS[name]
        self.app = get_adapter().get_app(request, provider=name)
        self.provider = registry.get_class(self.config["kind"])(request, app=self.app)
        self.adapter = self._adapter(name)
        self.adapter.get_callback_url = lambda request, app: redirect_uri
        self.client: OAuth2Client = self.adapter.get_client(request, self.app)

    def _adapter(self, name: str) -> OAuth2Adapter:
        if self.config["kind"] == "openid_connect":
            return OpenIDConnectOAuth2Adapter(self.request, name)
        adapter = _ADAPTERS[name](self.request)
        adapter.authorize_url = self.config["authorize_url"]
        adapter.access_token_url = self.config["token_url"]
        adapter.profile_url = adapter.identity_url = self.config["user_url"]
        adapter.emails_url = f"{self.config['user_url']}/emails"
        return adapter

    def authorize_url(self, *, state: str, challenge: dict[str, str]) -> str:
        """Where to send the user."""
        self.client.state = state
        scope = _SCOPES.get(self.config["kind"]) or self.provider.get_scope()
        url: str = self.client.get_redirect_url(
            self.adapter.authorize_url, scope, {**self.provider.get_auth_params(), **challenge}
        )
        return url

    def profile(self, *, code: str, verifier: str) -> SocialLogin:
        """The profile for the authorization code that came back."""
        answer = self.client.get_access_token(code, pkce_code_verifier=verifier)
        self.adapter.did_fetch_access_token = True
        token = self.adapter.parse_token(answer)
        return self.adapter.complete_login(self.request, self.app, token, response=answer)
