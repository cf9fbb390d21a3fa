"""What a web process loads before it answers: a number of modules, which is the same on every machine, and no time."""

import json
import os
import subprocess
import sys

from tests.scenarios.product import ROOT

# Outside of the standard library, with the tools of development that some libraries load if they find them.
MODULES = 1_670
# Clients that only some processes need, and those not before they use them.
LATER = {
    "PIL",
    "aiohttp",
    "amqp",
    "celery",
    "django_elasticsearch_dsl",
    "elastic_transport",
    "elasticsearch",
    "httpcore",
    "httpx",
    "kombu",
    "numpy",
    "zxcvbn",
}
_LOAD = """
import json, sys
import socialapp.wsgi, socialapp.urls
print(json.dumps([name for name in sys.modules if name.partition(".")[0] not in sys.stdlib_module_names]))
"""


def test_a_web_process_loads_no_more_than_it_needs() -> None:
    environment = {
        **os.environ,
        "SECRET_KEY": "k" * 50,
        "ELASTICSEARCH_URL": "http://127.0.0.1:9",
        "PYTHONWARNINGS": "",
    }
    ended = subprocess.run([sys.executable, "-c", _LOAD], cwd=ROOT, env=environment, capture_output=True, check=True)
    loaded: list[str] = json.loads(ended.stdout.splitlines()[-1])
    assert LATER.isdisjoint(name.partition(".")[0] for name in loaded)
    assert len(loaded) <= MODULES
