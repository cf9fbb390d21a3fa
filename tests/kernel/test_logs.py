"""Values that logs must not contain, whichever code logs them: secrets, tokens, addresses, values a database
refused.
"""

import io
import json
import logging

import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError

from socialapp.telemetry.redact import redact

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("cannot reach amqp://app:secret@rabbit:5672//", "cannot reach amqp://[concealed]@rabbit:5672//"),
        ("no mailbox ada.l+x@mail.example.org here", "no mailbox [concealed] here"),
        (f"refused {TOKEN}, it is old", "refused [concealed], it is old"),
        ("Authorization: Bearer c2VjcmV0", "Authorization: Bearer [concealed]"),
        ("Duplicate entry 'it's ada' for key 'users.name'", "Duplicate entry '[concealed]' for key 'users.name'"),
        ("GET /v1/posts/117 200", "GET /v1/posts/117 200"),
    ],
)
def test_secrets_are_redacted(said: str, shown: str) -> None:
    assert redact(None, "info", {"event": said, "status": 200}) == {"event": shown, "status": 200}


@pytest.fixture
def lines() -> io.StringIO:
    """A log line as the settings format it, also for libraries."""
    formatter = settings.LOGGING["formatters"]["json"]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter["()"](**{key: formatter[key] for key in formatter if key != "()"}))
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel("INFO")
    return written


def test_secrets_are_redacted_in_the_logs_of_libraries_and_in_exceptions(lines: io.StringIO) -> None:
    try:
        raise IntegrityError(1062, "Duplicate entry 'ada@example.org' for key 'users.email'")
    except IntegrityError:
        logging.getLogger("tests.logs").exception("refused %s", "ada@example.org")
    line = json.loads(lines.getvalue())
    assert line["event"] == "refused [concealed]"
    assert "Duplicate entry '[concealed]' for key 'users.email'" in line["exception"]
    assert "example.org" not in lines.getvalue()


def test_each_log_line_is_one_json_object_whatever_it_contains(lines: io.StringIO) -> None:
    log = structlog.get_logger("tests.logs")
    log.error("100 %s", who="ada@example.org", text="ä\n\ud800", odd=b"bytes", of=set)
    line = json.loads(lines.getvalue())
    assert lines.getvalue().count("\n") == 1
    assert (line["event"], line["who"], line["text"], line["level"]) == ("100 %s", "[concealed]", "ä\n\ud800", "error")
    assert (line["odd"], line["of"]) == ("b'bytes'", "<class 'set'>")
