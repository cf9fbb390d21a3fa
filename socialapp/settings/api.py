"""The public API: Django REST framework, its schema, and rate limits."""

from socialapp.settings.environment import env

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
    "POSTPROCESSING_HOOKS": [],  # enums are listed where they are used, not as components with generated names
}
RATE_LIMITS = env.str("RATE_LIMITS", default="on") != "off"
# name → (requests, seconds), per user; RATE_ADDRESS_FACTOR times as many per IP address
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
