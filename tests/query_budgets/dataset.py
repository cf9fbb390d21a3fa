"""A dataset that fills every list of the API, created through the API."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from apps.moderation import actions as moderation
from tests.conftest import Person

CROWD = 52


@dataclass
class Dataset:
    """`reader` sees the activity of the `crowd`; each of the others has one long list."""

    reader: Person
    newcomer: Person
    hermit: Person
    sleeper: Person
    shy: Person
    author: Person
    scolded: Person
    crowd: list[Person]
    post_id: str
    comment_id: str
    author_posts: list[str]
    crowd_posts: list[str]
    crowd_comments: list[str]


def build(register: Callable[..., Person], drain: Callable[[], int]) -> Dataset:
    """Creates the dataset and delivers all events."""
    empty_index()
    names = ("reader", "newcomer", "hermit", "sleeper", "shyone", "author", "scolded")
    reader, newcomer, hermit, sleeper, shy, author, scolded = (register(f"dataset_{name}") for name in names)
    crowd = [register(f"crowd{number:02}") for number in range(CROWD)]
    ok(shy.client.patch("/v1/profiles/me", {"is_private": True}))
    post_id = ok(reader.client.post("/v1/posts", {"content": "the well in the square"}))["id"]
    drain()
    comment_id = ok(author.client.post(f"/v1/posts/{post_id}/comments", {"content": "who is thirsty?"}))["id"]
    drain()
    for person in crowd:
        ok(reader.client.put(f"/v1/profiles/{person.id}/follow"))
    ok(newcomer.client.put(f"/v1/profiles/{reader.id}/follow"))
    drain()
    crowd_posts = [_live(person, number, reader, post_id, comment_id) for number, person in enumerate(crowd)]
    author_posts = [
        ok(author.client.post("/v1/posts", {"content": f"@{person.username} told @{newcomer.username}"}))["id"]
        for person in crowd
    ]
    drain()
    for number, person in enumerate(crowd):
        _meet(person, reader=reader, hermit=hermit, sleeper=sleeper, shy=shy, post=crowd_posts[number])
        ok(person.client.put(f"/v1/posts/{crowd_posts[number - 1]}/repost"))
        ok(person.client.put(f"/v1/posts/{author_posts[number]}/reaction", {"reaction_type": "love"}))
    _edit_often(reader, post_id)
    _sign_in_often(reader)
    _subscribe_often(reader)
    _scold_often(scolded)
    drain()
    people = (reader, newcomer, hermit, sleeper, shy, author, scolded)
    page = ok(reader.client.get(f"/v1/posts/{post_id}/comments?limit={CROWD}"))["results"]
    crowd_comments = [comment["id"] for comment in page]
    return Dataset(*people, crowd, post_id, comment_id, author_posts, crowd_posts, crowd_comments)


def ok(answer: Any) -> Any:
    """The body of a response, which must be a success."""
    assert 200 <= answer.status_code < 300, answer.content
    return answer.json() if answer.content else None


def _live(person: Person, number: int, reader: Person, post_id: str, comment_id: str) -> str:
    """Writes a post, comments and reactions; returns the id of the post."""
    text = f"needle {number} #market #market{number:02} @{reader.username}"
    mine = str(ok(person.client.post("/v1/posts", {"content": text}))["id"])
    ok(person.client.put(f"/v1/profiles/{reader.id}/follow"))
    said = {"content": f"me, @{reader.username}"}
    ok(person.client.post(f"/v1/posts/{post_id}/comments", said))
    ok(person.client.post(f"/v1/posts/{post_id}/comments", {**said, "parent_comment_id": comment_id}))
    ok(person.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"}))
    ok(person.client.put(f"/v1/comments/{comment_id}/reaction", {"reaction_type": "haha"}))
    return mine


def _meet(person: Person, *, reader: Person, hermit: Person, sleeper: Person, shy: Person, post: str) -> None:
    ok(person.client.put(f"/v1/profiles/{shy.id}/follow"))
    ok(hermit.client.put(f"/v1/profiles/{person.id}/block"))
    ok(sleeper.client.put(f"/v1/profiles/{person.id}/mute"))
    ok(reader.client.put(f"/v1/posts/{post}/bookmark"))
    ok(reader.client.put(f"/v1/posts/{post}/reaction", {"reaction_type": "like"}))
    ok(reader.client.post("/v1/reports", {"target_type": "post", "target_id": post, "reason": "spam"}))


def _edit_often(reader: Person, post_id: str) -> None:
    for number in range(CROWD):
        ok(reader.client.patch(f"/v1/posts/{post_id}", {"content": f"the well in the square, draught {number}"}))


def _sign_in_often(reader: Person) -> None:
    for _ in range(CROWD - 3):  # the maximum of sessions; one more would end the first
        ok(reader.client.post("/v1/auth/login", {"login": reader.username, "password": "correct horse battery"}))


def _subscribe_often(reader: Person) -> None:
    """Subscribes the maximum of browsers. Their keys are valid curve points, like a browser's."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": _base64(key), "auth": _base64(b"x" * 16)}
    for number in range(20):
        body = {"endpoint": f"https://push.example.com/send/{number}", "keys": keys}
        ok(reader.client.post("/v1/push-subscriptions", body))
    Authenticator.objects.bulk_create(
        Authenticator(user_id=reader.id, type="webauthn", data={"name": f"key {number}"}) for number in range(20)
    )
    SocialAccount.objects.bulk_create(
        SocialAccount(user_id=reader.id, provider=f"provider{number}", uid="1") for number in range(CROWD)
    )


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _scold_often(scolded: Person) -> None:
    for number in range(CROWD):
        warning = moderation.warn_user(moderator_id=1, user_id=int(scolded.id), reason=f"reason {number}")
        ok(scolded.client.post("/v1/appeals", {"action_id": str(warning.id), "text": "I did not"}))


def make_searchable() -> None:
    """Refreshes Elasticsearch, so that searches find what was written."""
    if settings.ELASTICSEARCH_URL:
        from apps.search.models.documents import elasticsearch
        from apps.search.queries.elastic import read_alias

        elasticsearch().indices.refresh(index=f"{read_alias()}*", ignore_unavailable=True)


def empty_index() -> None:
    """Deletes documents of earlier tests: rolling back their transactions does not affect Elasticsearch."""
    if settings.ELASTICSEARCH_URL:
        from apps.search.models.documents import elasticsearch
        from apps.search.queries.elastic import read_alias

        make_searchable()
        everything: dict[str, Any] = {"match_all": {}}
        elasticsearch().delete_by_query(
            index=f"{read_alias()}*", query=everything, refresh=True, conflicts="proceed", ignore_unavailable=True
        )
