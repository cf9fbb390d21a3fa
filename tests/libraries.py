"""Loads those of the product's libraries that take longest, and nothing of the product itself: see `tests.forked`.

They read neither Django's settings, nor variables that tests set, when they are imported.
"""

import gc
import sys
from importlib import import_module

_NAMES = (
    "allauth.account.app_settings",
    "celery.apps.beat",
    "celery.apps.worker",
    "channels.routing",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "django.contrib.admin",
    "django.db.backends.mysql.base",
    "django.db.backends.sqlite3.base",
    "fido2.webauthn",
    "granian.server",
    "jinja2",
    "jwt",
    "kombu.transport.redis",
    "markdown",
    "regex",
    "requests",
    "rich.console",
    "structlog",
    "uvicorn.protocols.http.httptools_impl",
)

gc.disable()
for name in _NAMES:
    import_module(name)
assert "prometheus_client" not in sys.modules, "it reads the environment, which is not yet that of the program"
gc.freeze()
gc.enable()
