"""Pictures from the upload to the post in which others see them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.media.conftest import picture

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def path_of(url: str) -> str:
    return url.removeprefix("http://127.0.0.1:8000")


def test_an_upload_is_shown_in_a_post_and_served(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    media = upload(ann, picture((1000, 500)), description="a square")
    assert (media["type"], media["status"], media["width"], media["height"]) == ("image", "ready", 1000, 500)
    assert media["sizes"]["medium"]["width"] == 960
    answer = ann.client.post("/v1/posts", {"content": "look", "media_ids": [media["id"]]})
    assert answer.status_code == 201, answer.content
    shown = anonymous.get(f"/v1/posts/{answer.json()['id']}").json()["media"]
    assert [item["id"] for item in shown] == [media["id"]]
    assert shown[0]["description"] == "a square"
    served = anonymous.get(path_of(shown[0]["url"]))
    assert (served.status_code, served["Content-Type"]) == (200, "image/webp")
    content = b"".join(served.streaming_content)
    assert content[:4] == b"RIFF"
    assert content[8:12] == b"WEBP"
