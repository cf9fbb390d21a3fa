"""Tokens and their keys, hosts and origins, cookies, and limits of body sizes."""

from urllib.parse import urlsplit

from django.http.request import split_domain_port

from socialapp.settings.environment import PUBLIC_URL, env, is_https

DEBUG = env.bool("DEBUG", default=False)
JWT_PRIVATE_KEY = env.str("JWT_PRIVATE_KEY", default="", multiline=True)
JWT_PUBLIC_KEY = env.str("JWT_PUBLIC_KEY", default="", multiline=True)
JWT_ISSUER = env.str("JWT_ISSUER", default="socialapp")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="socialapp")
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=600)
REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", default=30)  # without use
SESSION_DAYS = env.int("SESSION_DAYS", default=180)  # at most, however often it is used
SIGNING_KEY_RELOAD_SECONDS = env.float("SIGNING_KEY_RELOAD_SECONDS", default=20.0)
_own_name = urlsplit(PUBLIC_URL).netloc.rpartition("@")[2]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", split_domain_port(_own_name)[0]])
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=[PUBLIC_URL])
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES and is_https else None
SECURE_SSL_REDIRECT = False  # the gateway redirects; health probes speak plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = is_https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = is_https
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=1_048_576)
# The size up to which the gateway buffers a body before forwarding it. Larger bodies arrive at the client's speed.
BUFFERED_BODY_BYTES = env.int("BUFFERED_BODY_BYTES", default=MAX_BODY_BYTES)
BUFFERED_UPLOAD_BYTES = env.int("BUFFERED_UPLOAD_BYTES", default=MAX_BODY_BYTES)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
