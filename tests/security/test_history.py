"""The history of a post reveals no text that only followers could read when it was written."""

from collections.abc import Callable

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def earlier(client: JsonClient, post_id: str) -> list[str]:
    answer = client.get(f"/v1/posts/{post_id}/history")
    assert answer.status_code == 200
    return [item["content"] for item in answer.json()["results"]]


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        (["close", "v2", "v3", "open"], ["v1"]),
        (["close", "v2", "open", "v3"], ["v2", "v1"]),
        (["close", "v2", "v3", "v4", "open", "v5"], ["v4", "v1"]),
        (["v2", "close", "v3", "open", "close", "v4", "open"], ["v3", "v2", "v1"]),
        (["hide", "v2", "v3", "show"], []),
    ],
)
def test_a_version_written_for_followers_stays_visible_to_them_only(
    register: Callable[..., Person], drain: Callable[[], int], steps: list[str], shown: list[str]
) -> None:
    alice, fan = register("alice"), register("fan")
    fan.client.put(f"/v1/profiles/{alice.id}/follow")
    post_id = alice.client.post("/v1/posts", {"content": "v1"}).json()["id"]
    for step in steps:
        match step:
            case "close" | "open":
                answer = alice.client.patch("/v1/profiles/me", {"is_private": step == "close"})
            case "hide" | "show":
                answer = alice.client.patch(f"/v1/posts/{post_id}", {"is_private": step == "hide"})
            case _:
                answer = alice.client.patch(f"/v1/posts/{post_id}", {"content": step})
        assert answer.status_code == 200, (step, answer.content)
        drain()
    assert earlier(JsonClient(), post_id) == shown
    everything = sorted({"v1", *(step for step in steps if step[0] == "v")})[::-1][1:]
    assert earlier(alice.client, post_id) == everything
    assert earlier(fan.client, post_id) == everything
