"""Django's settings: everything comes from the environment (see .env.example) and from the map of contexts."""

from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django_stubs_ext
import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port

from socialapp.core.contexts import CONTEXTS, served
from socialapp.core.vapid import public_key_of
from socialapp.telemetry.redact import redact

django_stubs_ext.monkeypatch()  # lets Django's generic classes be subscripted, as their type stubs have it

env: Any = environ.Env()  # type: ignore[no-untyped-call]
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

# --- Safety -----------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
JWT_PRIVATE_KEY = env.str("JWT_PRIVATE_KEY", default="", multiline=True)
JWT_PUBLIC_KEY = env.str("JWT_PUBLIC_KEY", default="", multiline=True)
JWT_ISSUER = env.str("JWT_ISSUER", default="socialapp")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="socialapp")
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=600)
REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", default=30)  # without use
SESSION_DAYS = env.int("SESSION_DAYS", default=180)  # at most, however often it is used
SIGNING_KEY_RELOAD_SECONDS = env.float("SIGNING_KEY_RELOAD_SECONDS", default=20.0)
SERVICE_NAME = env.str("SERVICE_NAME", default="socialapp")
SERVICE_SECRET = env.str("SERVICE_SECRET", default="") or SECRET_KEY
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_own_name = urlsplit(PUBLIC_URL).netloc.rpartition("@")[2]
SITEMAP = env.bool("SITEMAP", default=True)  # whether search engines get a list of the newest public posts
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", split_domain_port(_own_name)[0]])
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=[PUBLIC_URL])
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
_https = PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES and _https else None
SECURE_SSL_REDIRECT = False  # the gateway redirects; health probes speak plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=1_048_576)
# What the gateway takes to its end before it passes it on. Larger bodies come as slowly as they are sent.
BUFFERED_BODY_BYTES = env.int("BUFFERED_BODY_BYTES", default=MAX_BODY_BYTES)
BUFFERED_UPLOAD_BYTES = env.int("BUFFERED_UPLOAD_BYTES", default=MAX_BODY_BYTES)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# --- Contexts ---------------------------------------------------------------------------------------------------
_third_party = [app for context in served() for app in context.third_party_apps]
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
SERVICE_URLS = {name: env.str(f"{name.upper()}_URL", default="") for name in CONTEXTS}
CALL_TIMEOUT = env.float("CALL_TIMEOUT", default=2.0)

# --- Databases: one per context, never a default ------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/db/{{context}}.sqlite3")
DATABASE_SECONDS = env.int("DATABASE_SECONDS", default=20)  # see `roles.py`; more than a lock is waited for: 10


def _database(context: str) -> dict[str, Any]:
    return _configured(env.str(f"{context.upper()}_DATABASE_URL", default=DATABASE_URL.replace("{context}", context)))


def _configured(url: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(env.db_url_config(url))
    config["TEST"] = {"DEPENDENCIES": []}
    config["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    config["CONN_HEALTH_CHECKS"] = True
    config["ATOMIC_REQUESTS"] = False
    if "sqlite3" in config["ENGINE"]:
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # FULL: an answered write survives a power cut too
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            # what is deleted is overwritten, so that it is gone from the file too
            " PRAGMA secure_delete=ON; PRAGMA cache_size=-4000;",
        }
    else:
        config["ENGINE"] = "socialapp.core.mysql"
        config["OPTIONS"] = {
            "charset": "utf8mb4",
            "init_command": "SET sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=10",
            "isolation_level": "read committed",
            "connect_timeout": 5,
        }
    return config


DATABASES: dict[str, dict[str, Any]] = {
    "default": {},
    **{context.name: _database(context.name) for context in served()},
}

# --- Read replicas: context → aliases; see socialapp/core/replicas ------------------------------------------------
DATABASE_REPLICA_URLS = env.list("DATABASE_REPLICA_URLS", default=[])
REPLICA_MAX_LAG_SECONDS = env.float("REPLICA_MAX_LAG_SECONDS", default=2.0)
# A replica in use may be behind by the allowed lag, the second it is rounded to, and the second since it was asked.
REPLICA_PIN_SECONDS = REPLICA_MAX_LAG_SECONDS + 3
_REPLICA_SECONDS = 5  # for a read, after which it is asked of the primary


def _replica(context: str, url: str) -> dict[str, Any]:
    config = _configured(url)
    if "sqlite3" in config["ENGINE"]:
        raise ImproperlyConfigured(f"the replica of {context} must be a MySQL or MariaDB, as its primary is")
    config.update(ENGINE="socialapp.core.replicas", PRIMARY=context, CONN_HEALTH_CHECKS=False)
    config["OPTIONS"].update(connect_timeout=1, read_timeout=_REPLICA_SECONDS)
    config["TEST"]["MIRROR"] = context
    return config


def _replicas(context: str) -> list[str]:
    """The aliases of the context's replicas. Auth has none: who was let in or thrown out counts at once."""
    if context == "auth" or "sqlite3" in DATABASES[context]["ENGINE"]:
        return []
    given = [url.replace("{context}", context) for url in DATABASE_REPLICA_URLS]
    urls = env.list(f"{context.upper()}_REPLICA_URLS", default=given)
    found = {f"{context}-replica-{number}": _replica(context, url) for number, url in enumerate(urls, start=1)}
    DATABASES.update(found)
    return list(found)


REPLICAS = {context.name: names for context in served() if (names := _replicas(context.name))}
DATABASE_ROUTERS = ["socialapp.core.routers.ContextRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMBEDDED = all("sqlite3" in DATABASES[context.name]["ENGINE"] for context in served())

# --- Redis, broker, search ----------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_TIMEOUT = env.float("REDIS_TIMEOUT", default=0.5)
REDIS_PREFIX = env.str("REDIS_PREFIX", default="")
FRAGMENT_SECONDS = env.int("FRAGMENT_SECONDS", default=30)
ELASTICSEARCH_URL = env.str("ELASTICSEARCH_URL", default="")
ELASTICSEARCH_PREFIX = env.str("ELASTICSEARCH_PREFIX", default="socialapp")
ELASTICSEARCH_SECONDS = env.float("ELASTICSEARCH_SECONDS", default=1.5)  # how long a search may take: then 503
ELASTICSEARCH_DSL = {"default": {"hosts": ELASTICSEARCH_URL or "http://127.0.0.1:9200"}}
ELASTICSEARCH_DSL_AUTOSYNC = False  # events or the binlog keep the index up, never signals of models
ELASTICSEARCH_DSL_SIGNAL_PROCESSOR = "django_elasticsearch_dsl.signals.BaseSignalProcessor"
SEARCH_SYNC = env.str("SEARCH_SYNC", default="events")  # or cdc: `manage.py search cdc` follows the binlog
SEARCH_CDC_URL = env.str("SEARCH_CDC_URL", default="")  # the Redis or Kafka that Debezium writes to; empty: the binlog
SEARCH_CDC_PREFIX = env.str("SEARCH_CDC_PREFIX", default="socialapp")  # Debezium's topic.prefix
SEARCH_SYNONYMS = env.str("SEARCH_SYNONYMS", default="")  # a file: words that mean the same, a line each, with commas

BROKER_URL = env.str("BROKER_URL", default=REDIS_URL)
QUEUE_PREFIX = env.str("QUEUE_PREFIX", default="")
KAFKA_URL = env.str("KAFKA_URL", default="")
KAFKA_PARTITIONS = env.int("KAFKA_PARTITIONS", default=12)
BROKER_QUORUM_QUEUES = env.bool("BROKER_QUORUM_QUEUES", default=BROKER_URL.startswith("amqp"))
CELERY_BROKER_URL = BROKER_URL
# Which tasks a worker takes: quick (events and short tasks), slow (converting media), or all of them.
WORKER_QUEUES = env.str("WORKER_QUEUES", default="all")
if WORKER_QUEUES not in ("all", "quick", "slow"):
    raise ImproperlyConfigured("WORKER_QUEUES must be all, quick or slow")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
_BROKER_SECONDS = 5  # that a broker may take for an answer; one that hangs must not keep a process for ever
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"confirm_publish": True, "read_timeout": _BROKER_SECONDS, "write_timeout": _BROKER_SECONDS}
    if BROKER_URL.startswith("amqp")
    else {
        "visibility_timeout": 120,
        "global_keyprefix": f"{REDIS_PREFIX}celery:",
        "socket_timeout": _BROKER_SECONDS,
        "health_check_interval": 2
        * _BROKER_SECONDS,  # waiting for messages it hears as often from a Redis that is there
    }
)
CELERY_BROKER_HEARTBEAT = 2 * _BROKER_SECONDS  # RabbitMQ's and ours: after two that did not come, it reconnects
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_DB_REUSE_MAX = 1_000_000  # tasks; Celery would reconnect for each: see `socialapp/celery.py`
CELERY_TIMEZONE = "UTC"
RECONCILE_EVERY_SECONDS = env.float("RECONCILE_EVERY_SECONDS", default=5.0)
RECONCILE_AFTER_SECONDS = env.float("RECONCILE_AFTER_SECONDS", default=10.0)
OUTBOX_RETENTION_DAYS = env.int("OUTBOX_RETENTION_DAYS", default=7)

# --- Following ----------------------------------------------------------------------------------------------------
# Posts of people with more followers than this are merged in when a feed is read, not pushed into every feed.
POPULAR_FOLLOWERS = env.int("POPULAR_FOLLOWERS", default=10_000)
MAX_FOLLOWINGS = env.int("MAX_FOLLOWINGS", default=7_500)

# --- HTTP ---------------------------------------------------------------------------------------------------------
MEDIA_URL = env.str("MEDIA_URL", default=f"{PUBLIC_URL}/media/").rstrip("/") + "/"
MEDIA_STORE_URL = env.str("MEDIA_STORE_URL", default="")  # s3://… ; empty: files in DATA_DIR/media


def _media_origins() -> list[str]:
    """Where pages fetch media from, and upload large ones to: MEDIA_URL's origin, and the bucket's."""
    media, store = urlsplit(MEDIA_URL), urlsplit(MEDIA_STORE_URL)
    origins = [f"{media.scheme}://{media.netloc}"] if media.netloc else []
    if store.hostname:
        protocol = "http" if "tls=off" in store.query else "https"
        origins.append(f"{protocol}://{store.hostname}{f':{store.port}' if store.port else ''}")
    return origins


_MEDIA_ORIGINS = _media_origins()
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
# Front ends on other origins: tokens travel in a header that a page sets itself, so cookies are never allowed along.
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
CORS_PREFLIGHT_MAX_AGE = 7200  # as long as any browser keeps it
# Pages load and do what is served here, and nothing inline but what bears the answer's nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:", *_MEDIA_ORIGINS],
        "media-src": [SELF, "blob:", *_MEDIA_ORIGINS],
        "font-src": [SELF],
        "connect-src": [SELF, *_MEDIA_ORIGINS],  # uploads go to the bucket
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
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["socialapp.http.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["socialapp.http.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["socialapp.http.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["socialapp.http.parsing.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "socialapp.http.rendering.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "socialapp.http.schema.ProblemAwareSchema",
    "EXCEPTION_HANDLER": "socialapp.http.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "socialapp",
    "VERSION": "1",
    "DESCRIPTION": "The public API of socialapp. Ids are strings of digits; errors are problem+json (RFC 9457).",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [],  # values are listed where they are used, not as components with made-up names
}
RATE_LIMITS = env.str("RATE_LIMITS", default="on") != "off"
# name → (requests, seconds): each for one user and, so many times as many, for one address
RATE_ADDRESS_FACTOR = env.int("RATE_ADDRESS_FACTOR", default=4)
RATES: dict[str, tuple[int, int]] = {
    "read": (env.int("RATE_READ", default=600), 60),
    "write": (env.int("RATE_WRITE", default=120), 60),
    "search": (env.int("RATE_SEARCH", default=120), 60),
    "login": (env.int("RATE_LOGIN", default=10), 60),
    "report": (env.int("RATE_REPORT", default=30), 3600),
    "register": (env.int("RATE_REGISTER", default=20), 3600),
}
IDEMPOTENCY_HOURS = 24
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "web" / "static"]
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "media"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600 if EMBEDDED else 0o644  # elsewhere the gateway reads them as another user

# --- Media: files in the embedded default; see docs/media.md -------------------------------------------------------
# X-Accel-Redirect: the gateway sends the files; without, the application does, which is for trying out only
MEDIA_ACCEL = env.bool("MEDIA_ACCEL", default=False)
MEDIA_MAX_IMAGE_BYTES = env.int("MEDIA_MAX_IMAGE_BYTES", default=20 * 2**20)
MEDIA_MAX_VIDEO_BYTES = env.int("MEDIA_MAX_VIDEO_BYTES", default=200 * 2**20)
MEDIA_MAX_UPLOAD_BYTES = env.int("MEDIA_MAX_UPLOAD_BYTES", default=60 * 2**20)  # through us; others: presigned
MEDIA_DAILY_FILES = env.int("MEDIA_DAILY_FILES", default=300)  # for one person
MEDIA_DAILY_BYTES = env.int("MEDIA_DAILY_BYTES", default=2 * 2**30)
MEDIA_PART_BYTES = env.int("MEDIA_PART_BYTES", default=8 * 2**20)  # of resumable uploads
MEDIA_UPLOAD_SECONDS = env.int("MEDIA_UPLOAD_SECONDS", default=3600)  # that a presigned upload may take
MEDIA_LINK_SECONDS = env.int("MEDIA_LINK_SECONDS", default=600)  # that a signed address of private media holds at least
MEDIA_STORE_SECONDS = env.int("MEDIA_STORE_SECONDS", default=10)  # that a bucket may take to answer
MEDIA_UNUSED_HOURS = env.int("MEDIA_UNUSED_HOURS", default=24)  # that what is in no post is kept
MEDIA_PURGE = env.str("MEDIA_PURGE", default="")  # the cache that is told what is no longer public; empty: none
if MEDIA_PURGE not in ("", "nginx", "fastly", "cloudflare"):
    raise ImproperlyConfigured("MEDIA_PURGE must be nginx, fastly or cloudflare")
MEDIA_PURGE_TOKEN = env.str("MEDIA_PURGE_TOKEN", default="")  # of Fastly or Cloudflare
MEDIA_PURGE_ZONE = env.str("MEDIA_PURGE_ZONE", default="")  # of Cloudflare
MEDIA_PURGE_API = env.str("MEDIA_PURGE_API", default="https://api.cloudflare.com/client/v4")
if MEDIA_PURGE == "cloudflare" and not (MEDIA_PURGE_TOKEN and MEDIA_PURGE_ZONE):
    raise ImproperlyConfigured("Cloudflare needs MEDIA_PURGE_TOKEN and MEDIA_PURGE_ZONE")
LINK_PREVIEWS = env.bool("LINK_PREVIEWS", default=True)  # fetch the page behind the first link of public posts
LINK_PREVIEW_DAYS = env.int("LINK_PREVIEW_DAYS", default=7)  # after which a page is fetched again when linked to again
MEDIA_PARALLEL = env.int("MEDIA_PARALLEL", default=1 if EMBEDDED else 2)  # conversions at once, everywhere together
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]


def _cloudfront(domain: str) -> dict[str, Any]:
    """A CloudFront in front of the bucket, whose addresses are signed with a key of ours."""
    if not domain:
        return {}
    key = env.str("MEDIA_CLOUDFRONT_KEY", default="").replace("\\n", "\n")
    key_id = env.str("MEDIA_CLOUDFRONT_KEY_ID", default="")
    if not (key and key_id):
        raise ImproperlyConfigured("CloudFront needs MEDIA_CLOUDFRONT_KEY and MEDIA_CLOUDFRONT_KEY_ID")
    return {"custom_domain": domain, "cloudfront_key": key, "cloudfront_key_id": key_id}


def media_store(url: str) -> dict[str, Any]:
    """Files in a folder, or s3://key:secret@host/bucket?region=… (host: empty for Amazon's own)."""
    if not url:
        return {
            "BACKEND": "socialapp.core.media.stores.Files",
            "OPTIONS": {"location": DATA_DIR / "media", "allow_overwrite": True},
        }
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise ImproperlyConfigured("MEDIA_STORE_URL must begin with s3://")
    from botocore.config import Config

    query = dict(parse_qsl(parts.query))
    protocol = "http" if query.get("tls") == "off" else "https"
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": unquote(parts.username or "") or None,
            "secret_key": unquote(parts.password or "") or None,
            "bucket_name": parts.path.strip("/"),
            "region_name": query.get("region", "us-east-1"),
            "endpoint_url": f"{protocol}://{parts.hostname}:{parts.port}"
            if parts.port
            else (f"{protocol}://{parts.hostname}" if parts.hostname else None),
            "client_config": Config(  # type: ignore[no-untyped-call]
                signature_version="s3v4",
                s3={"addressing_style": query.get("addressing", "path")},
                connect_timeout=MEDIA_STORE_SECONDS,
                read_timeout=MEDIA_STORE_SECONDS,
                retries={"total_max_attempts": 2},
                # Other servers than Amazon's need not know its newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            "default_acl": None,
            "file_overwrite": True,
            "querystring_auth": True,
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
            **_cloudfront(query.get("cloudfront", "")),
        },
    }


STORAGES["media"] = media_store(MEDIA_STORE_URL)
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Outgoing requests: see core/outgoing.py ------------------------------------------------------------------------
# host:port of servers that may be called although they are not public, such as a push gateway in the same network
OUTGOING_ALLOWED_HOSTS = env.list("OUTGOING_ALLOWED_HOSTS", default=[])

# --- Notifications --------------------------------------------------------------------------------------------------
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", default="")  # empty: no pushes; made by `manage.py vapid_key`
try:
    VAPID_PUBLIC_KEY = public_key_of(VAPID_PRIVATE_KEY) if VAPID_PRIVATE_KEY else ""
except ValueError as error:
    raise ImproperlyConfigured(f"VAPID_PRIVATE_KEY: {error}") from None
# Apps on phones: the key of an Apple developer account, and the service account of a Google project, as its JSON file
APNS_KEY = env.str("APNS_KEY", multiline=True, default="")
APNS_KEY_ID = env.str("APNS_KEY_ID", default="")
APNS_TEAM_ID = env.str("APNS_TEAM_ID", default="")
APNS_TOPIC = env.str("APNS_TOPIC", default="")
APNS_URL = env.str("APNS_URL", default="https://api.push.apple.com").rstrip("/")
if APNS_KEY and not (APNS_KEY_ID and APNS_TEAM_ID and APNS_TOPIC):
    raise ImproperlyConfigured("APNS_KEY needs APNS_KEY_ID, APNS_TEAM_ID and APNS_TOPIC")
FCM_CREDENTIALS = env.json("FCM_CREDENTIALS", default={})
FCM_URL = env.str("FCM_URL", default="https://fcm.googleapis.com").rstrip("/")
if FCM_CREDENTIALS and not {"project_id", "client_email", "private_key", "token_uri"} <= set(FCM_CREDENTIALS):
    raise ImproperlyConfigured("FCM_CREDENTIALS is the JSON file of a service account")
NOTIFICATIONS_RETENTION_DAYS = env.int("NOTIFICATIONS_RETENTION_DAYS", default=90)
APPEALS_BY_SAME_MODERATOR = env.bool("APPEALS_BY_SAME_MODERATOR", default=False)
# Signs the log of moderation. Keep it apart from the database; a change makes earlier signatures foreign.
LOG_SIGNING_KEY = env.str("LOG_SIGNING_KEY", default=SECRET_KEY)
# Scores what is written from 0 to 100 for rules of the kind "spam score"; the built-in one is
# apps.moderation.access.screening.score_spam, and none is used unless named.
SPAM_SCORER = env.str("SPAM_SCORER", default="")
LINK_SHORTENERS = frozenset(  # their links are followed, so that rules about domains see where they lead
    env.list(
        "LINK_SHORTENERS",
        default=["bit.ly", "t.co", "tinyurl.com", "goo.gl", "is.gd", "ow.ly", "buff.ly", "cutt.ly", "rb.gy", "t.ly"],
    )
)
TRANSPARENCY_REPORT = env.bool("TRANSPARENCY_REPORT", default=True)  # figures for everybody
APPEAL_DAYS = env.int("APPEAL_DAYS", default=183)  # what moderators removed is kept twice as long, then deleted
CHANNEL_LAYERS = {"default": {"BACKEND": "socialapp.core.channel_layer.PubSubLayer"}}
SOCKETS_PER_USER = env.int("SOCKETS_PER_USER", default=20)  # in one process
SOCKET_QUEUE = env.int("SOCKET_QUEUE", default=256)  # messages that wait for a slow client before it is dropped
SOCKET_SEND_SECONDS = env.float("SOCKET_SEND_SECONDS", default=15.0)
SOCKET_MESSAGES = env.int("SOCKET_MESSAGES", default=60)  # from one client a minute
SOCKET_MESSAGE_BYTES = env.int("SOCKET_MESSAGE_BYTES", default=8192)
SOCKET_REVOCATION_SECONDS = env.float("SOCKET_REVOCATION_SECONDS", default=2.0)
SOCKET_RESYNC_SECONDS = env.float("SOCKET_RESYNC_SECONDS", default=30.0)

# --- Mail: files in the embedded default ----------------------------------------------------------------------------
_email = env.email_url("EMAIL_URL", default=f"filemail://{DATA_DIR}/mail")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST") or "", _email.get("EMAIL_PORT") or 0
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_USER") or "", _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS"))
EMAIL_TIMEOUT = 10  # seconds that a mail server may take for each answer
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="socialapp <no-reply@localhost>")
MAILS_PER_DAY = env.int("MAILS_PER_DAY", default=20)  # about notifications, to one person on one day of theirs
MAIL_EVENTS_SECRET = env.str("MAIL_EVENTS_SECRET", default="")  # of who reports bounces to /internal/mail/events
# Whom push services write to when something is wrong with our pushes: mailto: or https:
VAPID_SUBJECT = env.str("VAPID_SUBJECT", default=f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}")

# --- Passwords ------------------------------------------------------------------------------------------------------
# It verifies every Argon2 hash: a second hasher of that name would take its place.
PASSWORD_HASHERS = ["socialapp.core.passwords.OwaspArgon2PasswordHasher"]
PASSWORD_RESET_TIMEOUT = env.int("PASSWORD_RESET_SECONDS", default=3600)
# Where new passwords are looked up among breached ones, by the first digits of their hash; asks nobody when empty
PASSWORD_RANGE_URL = env.str("PASSWORD_RANGE_URL", default="")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "socialapp.core.passwords.OpaqueStringValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Accounts -------------------------------------------------------------------------------------------------------
REGISTRATION = env.str("REGISTRATION", default="open")
if REGISTRATION not in ("open", "approval", "invite", "closed"):
    raise ImproperlyConfigured("REGISTRATION must be open, approval, invite or closed")
VERIFIED_EMAIL_TO_POST = env.bool("VERIFIED_EMAIL_TO_POST", default=False)  # posts and comments
# Before sign-up; off unless a provider is named. The secret is what the provider gives for the site key.
CAPTCHA_PROVIDER = env.str("CAPTCHA_PROVIDER", default="")
CAPTCHA_SITE_KEY = env.str("CAPTCHA_SITE_KEY", default="")
CAPTCHA_SECRET = env.str("CAPTCHA_SECRET", default="")
CAPTCHA_DIFFICULTY = env.int("CAPTCHA_DIFFICULTY", default=18)  # zero bits: 18 take a desktop about two seconds
_CAPTCHA_URLS = {
    "": "",
    "proof_of_work": "",
    "hcaptcha": "https://api.hcaptcha.com/siteverify",
    "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
}
if CAPTCHA_PROVIDER not in _CAPTCHA_URLS:
    raise ImproperlyConfigured("CAPTCHA_PROVIDER must be proof_of_work, hcaptcha, turnstile or empty")
if CAPTCHA_PROVIDER and _CAPTCHA_URLS[CAPTCHA_PROVIDER] and not (CAPTCHA_SITE_KEY and CAPTCHA_SECRET):
    raise ImproperlyConfigured("CAPTCHA_PROVIDER needs CAPTCHA_SITE_KEY and CAPTCHA_SECRET")
if not 1 <= CAPTCHA_DIFFICULTY <= 32:
    raise ImproperlyConfigured("CAPTCHA_DIFFICULTY must be 1 to 32")
CAPTCHA_VERIFY_URL = env.str("CAPTCHA_VERIFY_URL", default=_CAPTCHA_URLS[CAPTCHA_PROVIDER])
REFUSE_DISPOSABLE_EMAIL = env.bool("REFUSE_DISPOSABLE_EMAIL", default=True)
EMAIL_DOMAINS_REFUSED = frozenset(env.list("EMAIL_DOMAINS_REFUSED", default=[]))
NAME_RESERVED_DAYS = env.int("NAME_RESERVED_DAYS", default=90)  # that names of the deleted are kept from others
NAME_KEPT_DAYS = env.int("NAME_KEPT_DAYS", default=30)  # that a former name is kept for its owner
ERASURE_GRACE_DAYS = env.int("ERASURE_GRACE_DAYS", default=14 if _https else 0)  # a log-in cancels
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=_https)  # asked of staff in the admin site
RATE_LOGIN_TOTAL = env.int("RATE_LOGIN_TOTAL", default=3000)  # a minute, of devices that are not known
WRONG_CODES_PER_DAY = env.int("WRONG_CODES_PER_DAY", default=30)  # of an authenticator app, for one account
FAILED_LOGINS_REPORTED = env.int("FAILED_LOGINS_REPORTED", default=20)  # a day, then the owner gets a mail
MAILS_PER_ADDRESS = env.int("MAILS_PER_ADDRESS", default=5)  # an hour, of each kind that anybody can ask for
NEW_ADDRESSES_PER_ACCOUNT = env.int("NEW_ADDRESSES_PER_ACCOUNT", default=20)  # an hour; each is sent a mail
# Pages that links in mails lead to; {key} is replaced
VERIFY_EMAIL_URL = env.str("VERIFY_EMAIL_URL", default=f"{PUBLIC_URL}/#/verify-email?key={{key}}")
RESET_PASSWORD_URL = env.str("RESET_PASSWORD_URL", default=f"{PUBLIC_URL}/#/reset-password?key={{key}}")
APPEAL_URL = env.str("APPEAL_URL", default=f"{PUBLIC_URL}/auth/appeal?key={{key}}")
AUTHENTICATION_BACKENDS = ["apps.auth.actions.adapters.AccountBackend"]
ACCOUNT_ADAPTER = "apps.auth.actions.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_RATE_LIMITS = False  # they would lock owners out: see actions/attempts.py
SOCIALACCOUNT_ADAPTER = "apps.auth.actions.adapters.SocialAdapter"
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
MFA_ADAPTER = "apps.auth.actions.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODE_DIGITS = 25  # 83 bits

# --- This installation ----------------------------------------------------------------------------------------------
INSTANCE_NAME = env.str("INSTANCE_NAME", default="socialapp")
INSTANCE_DESCRIPTION = env.str("INSTANCE_DESCRIPTION", default="")
INSTANCE_RULES = env.list("INSTANCE_RULES", default=[])
INSTANCE_CONTACT = env.str("INSTANCE_CONTACT", default="")

# --- Social log-in: a provider is offered when its client id is set ---------------------------------------------------
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
    """An address that secrets are sent to: https, or this machine when trying out. Source: RFC 6749, section 3.1."""
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

# --- Logs: one JSON object a line -----------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
]
structlog.configure(
    processors=[*_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.make_filtering_bound_logger(LOG_LEVEL),
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _processors,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "elastic_transport": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
    },
}
