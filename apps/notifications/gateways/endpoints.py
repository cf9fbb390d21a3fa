"""Which devices can be reached from here, by provider and endpoint."""

from urllib.parse import urlsplit

from django.conf import settings

_HTTPS = 443


def is_set_up(provider: str) -> bool:
    """Whether devices of a provider can be reached from here."""
    keys = {"web": settings.VAPID_PRIVATE_KEY, "apns": settings.APNS_KEY, "fcm": settings.FCM_CREDENTIALS}
    return bool(keys[provider])


def is_public_endpoint(url: str) -> bool:
    """Whether a URL has the form of a push service's: https to a name, on the usual port, without credentials."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _HTTPS
    except ValueError:
        return False
    if parts.scheme != "https" or "@" in parts.netloc:
        return False
    return is_allowed(host=host, port=port) or (port == _HTTPS and _is_name(host))


def is_allowed(*, host: str, port: int) -> bool:
    """Whether the operator allows requests to this host although it is not public."""
    return f"{host}:{port}" in settings.OUTGOING_ALLOWED_HOSTS


def _is_name(host: str) -> bool:
    """Whether it is a name and not an IP address: the last label of an address, in any notation, starts with a
    digit."""
    last = host.rstrip(".").rpartition(".")[2]
    is_inside = host.endswith((".local", ".internal", ".localhost"))
    return "." in host and ":" not in host and not last[:1].isdigit() and not is_inside
