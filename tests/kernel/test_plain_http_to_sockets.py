"""Plain HTTP to the sockets role: clients may send it, so the response is a problem instead of a 5xx."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from socialapp.asgi import application


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("path", ["/ws/notifications/", "/ws/", "/"])
def test_plain_http_returns_upgrade_required(method: str, path: str) -> None:
    with ThreadPoolExecutor(max_workers=1) as thread:  # other tests may have left a loop running in this one
        start, body = thread.submit(asyncio.run, _answer(method, path)).result()
    headers = dict(start["headers"])
    assert (start["status"], headers[b"upgrade"]) == (426, b"websocket")
    assert headers[b"content-type"] == b"application/problem+json"
    problem = json.loads(body["body"])
    assert (problem["status"], problem["code"]) == (426, "upgrade_required")


async def _answer(method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    asked = ApplicationCommunicator(application, scope)
    await asked.send_input({"type": "http.request", "body": b"", "more_body": False})
    return await asked.receive_output(), await asked.receive_output()
