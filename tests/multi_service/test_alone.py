"""Every context alone loads, passes Django's checks, and contains nothing of the others."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from socialapp.core.contexts import CONTEXTS
from tests.scenarios.product import ROOT

_LOOK = """
import django, json
django.setup()
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.urls import Resolver404, resolve
from socialapp.messaging.relay import Relay
from socialapp.celery import app
call_command("check", fail_level="WARNING")
import socialapp.asgi, socialapp.wsgi
def is_there(path):
    try:
        return bool(resolve(path))
    except Resolver404:
        return False
print(json.dumps({
    "apps": sorted(config.name for config in apps.get_app_configs()),
    "databases": sorted(set(settings.DATABASES) - {"default"}),
    "queues": sorted(app.amqp.queues),
    "default_queue": app.conf.task_default_queue,
    "beat": sorted(app.conf.beat_schedule),
    "tasks": sorted(name for name in app.tasks if not name.startswith("celery.")),
    "relayed": Relay().contexts,
    "paths": [path for path in PATHS if is_there(path)],
    "tables": sorted({model._meta.app_label for model in apps.get_models()}),
}))
"""
# One path of each context, and of the admin site.
_PATHS = {
    "auth": ["/v1/auth/login", "/v1/users/1", "/.well-known/jwks.json", "/admin/login/"],
    "users": ["/v1/profiles/1"],
    "posts": ["/v1/posts", "/v1/feed", "/v1/profiles/1/posts"],
    "comments": ["/v1/posts/1/comments"],
    "reactions": ["/v1/posts/1/reaction"],
    "notifications": ["/v1/notifications"],
    "search": ["/v1/search"],
    "metrics": ["/v1/posts/1/metrics"],
    "moderation": ["/v1/reports"],
}
_OF_ALL = ["/health/live", "/health/ready", "/metrics", "/v1/schema", "/internal/a/B/c"]


def look(services: str) -> dict[str, Any]:
    """The contents of a process that serves only `services`. It has the public key of tokens, and no private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "DATABASE_URL"))},
        "SERVICES": services,
        "SECRET_KEY": "k" * 50,
        "JWT_PUBLIC_KEY": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "DJANGO_SETTINGS_MODULE": "socialapp.settings",
        "PYTHONWARNINGS": "",
    }
    paths = [*_OF_ALL, *(path for listed in _PATHS.values() for path in listed)]
    code = f"PATHS = {paths!r}\n{_LOOK}"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return dict(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_alone_contains_nothing_of_the_others(name: str) -> None:
    context = CONTEXTS[name]
    found = look(name)
    assert [app for app in found["apps"] if app.startswith("apps.")] == [context.app]
    assert set(context.third_party_apps) <= set(found["apps"])
    assert any(app.startswith("django.contrib.a") for app in found["apps"]) is (name == "auth")
    assert found["databases"] == [name]
    assert found["queues"] == [f"events.{name}", *([f"slow.{name}"] if name == "posts" else []), f"tasks.{name}"]
    assert found["default_queue"] == f"tasks.{name}"
    assert found["relayed"] == [name]
    assert set(found["tables"]) == {"api", "bus", "lifecycle", *context.labels}
    assert {task.split(".")[0] for task in (*found["tasks"], *found["beat"])} <= {
        "bus",
        "http",
        "lifecycle",
        "ops",
        name,
    }
    assert found["paths"] == [*_OF_ALL, *_PATHS[name]]


def test_two_contexts_together_contain_only_these_two() -> None:
    found = look("posts,comments")
    assert found["databases"] == ["comments", "posts"]
    assert found["queues"] == ["events.comments", "events.posts", "slow.posts", "tasks.comments", "tasks.posts"]
    assert found["relayed"] == ["posts", "comments"]
    assert found["paths"] == [*_OF_ALL, *_PATHS["posts"], *_PATHS["comments"]]


def test_an_unknown_context_name_is_refused() -> None:
    environment = {**os.environ, "SERVICES": "posts,likes", "SECRET_KEY": "k" * 50}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode != 0
    assert "SERVICES names unknown contexts: likes" in ended.stderr
