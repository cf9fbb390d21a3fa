"""HTTP settings for every request: middleware, CORS, the content security policy; templates and static files."""

from csp.constants import NONCE, NONE, SELF

from socialapp.settings.contexts import SERVES_ADMIN
from socialapp.settings.environment import BASE_DIR, DATA_DIR
from socialapp.settings.media import media_origins
from socialapp.settings.security import ALLOWED_ORIGINS

MIDDLEWARE = [
    "socialapp.http.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "socialapp.http.headers.BrowserPolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "socialapp.http.headers.HostMiddleware",
    "socialapp.http.middleware.BodyLimitMiddleware",
    "socialapp.core.replicas.ReplicaReads",
]
if SERVES_ADMIN:
    MIDDLEWARE += [
        "allauth.account.middleware.AccountMiddleware",
        "socialapp.http.site.SiteSessionMiddleware",
        "socialapp.http.site.SiteCsrfMiddleware",
        "socialapp.http.site.SiteAuthenticationMiddleware",
        "socialapp.http.site.SiteMessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
# Front ends on other origins send tokens in a header that the page sets itself, so cookies are never allowed.
CORS_ALLOWED_ORIGINS = ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/(v1|\.well-known)/"
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = [
    "Authorization", "Content-Type", "Device-Token", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID",
    "traceparent",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "Device-Token", "ETag", "Idempotency-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
    "X-Request-ID",
]  # fmt: skip
CORS_PREFLIGHT_MAX_AGE = 7200  # the longest that any browser keeps it
# Pages may only load and connect to what is served here; inline code needs the response's nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:", *media_origins],
        "media-src": [SELF, "blob:", *media_origins],
        "font-src": [SELF],
        "connect-src": [SELF, *media_origins],  # uploads go to the bucket
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "csp.context_processors.nonce",
                *(
                    [
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                    if SERVES_ADMIN
                    else []
                ),
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "web" / "static"]
