"""Social log-in: a provider is offered if its client id is set."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from socialapp.settings.environment import env

_PROVIDER_URLS = {
    "google": (
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://openidconnect.googleapis.com/v1/userinfo",
    ),
    "facebook": (
        "https://www.facebook.com/v23.0/dialog/oauth",
        "https://graph.facebook.com/v23.0/oauth/access_token",
        "https://graph.facebook.com/v23.0/me?fields=id,name,email",
    ),
    "github": (
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com/user",
    ),
}


def _secure_url(name: str, *, default: str) -> str:
    """A URL that secrets are sent to: https, or this machine for evaluation. Source: RFC 6749, section 3.1."""
    url: str = env.str(name, default=default)
    parts = urlsplit(url)
    is_local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_local)):
        raise ImproperlyConfigured(f"{name} must be an https URL")
    return url


_PROVIDER_NAMES = {"google": "Google", "facebook": "Facebook", "github": "GitHub"}
SOCIAL_PROVIDERS: dict[str, dict[str, str]] = {
    name: {
        "kind": name,
        "name": _PROVIDER_NAMES[name],
        "client_id": env.str(f"{name.upper()}_CLIENT_ID", default=""),
        "client_secret": env.str(f"{name.upper()}_CLIENT_SECRET", default=""),
        "authorize_url": _secure_url(f"{name.upper()}_AUTHORIZE_URL", default=authorize_url),
        "token_url": _secure_url(f"{name.upper()}_TOKEN_URL", default=token_url),
        "user_url": _secure_url(f"{name.upper()}_USER_URL", default=user_url),
    }
    for name, (authorize_url, token_url, user_url) in _PROVIDER_URLS.items()
}
# Any OpenID Connect provider: OIDC_PROVIDERS=name,… and, for each, OIDC_<NAME>_SERVER_URL, _CLIENT_ID, _CLIENT_SECRET
for _name in env.list("OIDC_PROVIDERS", default=[]):
    _prefix = f"OIDC_{_name.upper()}"
    SOCIAL_PROVIDERS[_name] = {
        "kind": "openid_connect",
        "name": env.str(f"{_prefix}_NAME", default=_name),
        "client_id": env.str(f"{_prefix}_CLIENT_ID"),
        "client_secret": env.str(f"{_prefix}_CLIENT_SECRET", default=""),
        "server_url": _secure_url(f"{_prefix}_SERVER_URL", default=""),
    }
