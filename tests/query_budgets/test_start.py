"""The number of modules that a web process loads at start, which, unlike the time, does not depend on the machine."""

import json
import os
import subprocess
import sys

from tests.scenarios.product import ROOT

# Not counting the standard library, but including development tools that some libraries load if installed.
MODULES = 1_684
# Libraries that only some processes need, and only when they use them.
LATER = {
    "PIL",
    "aiohttp",
    "amqp",
    "celery",
    "disposable_email_domains",
    "django_elasticsearch_dsl",
    "elastic_transport",
    "elasticsearch",
    "httpcore",
    "httpx",
    "kombu",
    "mrml",
    "numpy",
    "zxcvbn",
}
_LOAD = """
import json, sys
import socialapp.wsgi, socialapp.urls
print(json.dumps([name for name in sys.modules if name.partition(".")[0] not in sys.stdlib_module_names]))
"""


def test_a_web_process_loads_only_the_modules_it_needs() -> None:
    loaded: list[str] = json.loads(_output(_LOAD))
    assert LATER.isdisjoint(name.partition(".")[0] for name in loaded)
    assert len(loaded) <= MODULES


def test_the_garbage_collector_does_not_look_through_what_was_loaded() -> None:
    code = "import gc; gc.disable(); import django; django.setup(); print(gc.isenabled(), len(gc.get_objects()))"
    is_enabled, watched = _output(code).split()
    assert is_enabled == b"True"
    assert int(watched) < 10_000


def _output(code: str) -> bytes:
    """The last line that a new process prints."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "socialapp.settings",
        "SECRET_KEY": "k" * 50,
        "ELASTICSEARCH_URL": "http://127.0.0.1:9",
        "PYTHONWARNINGS": "",
    }
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    return ended.stdout.splitlines()[-1]
