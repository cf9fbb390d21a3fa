"""Which contexts this process serves, and the URLs of the others."""

from django.core.exceptions import ImproperlyConfigured

from socialapp.core.contexts import CONTEXTS, served
from socialapp.settings.environment import SECRET_KEY, env, url_of

try:
    _third_party = [app for context in served() for app in context.third_party_apps]
except ValueError as unknown:
    raise ImproperlyConfigured(str(unknown)) from None
INSTALLED_APPS = [
    *_third_party,
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "corsheaders",
    "csp",
    "django_linear_migrations",
    "socialapp.http",
    *(context.app for context in served()),
    "socialapp.messaging",
    "socialapp.lifecycle",
    "socialapp.ops",
    "socialapp.demo",
    "socialapp.runtime",
    "socialapp",
]
AUTH_USER_MODEL = "identity.User"
SERVES_ADMIN = "django.contrib.admin" in INSTALLED_APPS
ROOT_URLCONF = "socialapp.urls"
WSGI_APPLICATION = "socialapp.wsgi.application"
ASGI_APPLICATION = "socialapp.asgi.application"
APPEND_SLASH = False
SERVICE_NAME = env.str("SERVICE_NAME", default="socialapp")
SERVICE_SECRET = env.str("SERVICE_SECRET", default="") or SECRET_KEY
SERVICE_URLS = {name: url_of(f"{name.upper()}_URL", "http", "https") for name in CONTEXTS}
CALL_TIMEOUT = env.float("CALL_TIMEOUT", default=2.0)
