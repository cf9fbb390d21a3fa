"""Traces of libraries: the span of a statement has the product's span as its parent, and contains no values."""

import os
import subprocess
import sys

import pytest
from django.db import connections

from tests.deploy.otlp import collecting
from tests.scenarios.product import ROOT

_PROGRAM = """
import django
django.setup()
from django.db import connections
from socialapp.telemetry import traces
with connections["posts"].cursor() as cursor:
    cursor.execute("SELECT 'outside'")
    with traces.span("outer", kind=traces.Kind.SERVER, parent=""):
        cursor.execute("SELECT %s", ["a secret"])
traces.flush()
"""


def test_a_statement_is_a_span_without_its_values() -> None:
    settings = connections["posts"].settings_dict
    if connections["posts"].vendor != "mysql":
        pytest.skip("the module of SQLite cannot be instrumented")
    url = f"mysql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/information_schema"
    with collecting() as collector:
        environment = {**os.environ, "POSTS_DATABASE_URL": url, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, cwd=ROOT, check=True, timeout=60)
        [outer] = collector.named("outer")
        spans = collector.trace(outer.trace_id.hex())
        [statement] = [span for span in spans.values() if span.name != "outer"]
        assert statement.parent_span_id == outer.span_id
        values = {one.key: one.value.string_value for one in statement.attributes}
        assert (values["db.system"], values["db.statement"]) == ("mysql", "SELECT %s")
        assert not collector.mentions("outside"), "spans without a parent of the product are not exported"
        assert not collector.mentions("secret")
