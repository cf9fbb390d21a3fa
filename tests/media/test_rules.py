"""Rules of moderation read descriptions of media like the text beside them, and find files in posts and comments."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from apps.moderation.actions import dismiss_case, set_word_rule
from apps.moderation.models import Case, RuleHit
from apps.users.models import Profile
from tests.conftest import ALL_CONTEXTS, Person
from tests.media.conftest import comment_with, picture, post_with, variants

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

Upload = Callable[..., dict[str, Any]]


@pytest.fixture
def keep() -> Callable[..., None]:
    """Creates a rule."""

    def make(kind: str, pattern: str, effect: str) -> None:
        set_word_rule(moderator_id=900, kind=kind, pattern=pattern, effect=effect, is_active=True)

    return make


def refusal(answer: Any) -> tuple[int, list[tuple[str, str]]]:
    """The status, and field and code of each error."""
    return answer.status_code, [(error["field"], error["code"]) for error in answer.json().get("errors", [])]


def test_a_rejecting_rule_reads_descriptions(
    register: Callable[..., Person], upload: Upload, keep: Callable[..., None]
) -> None:
    ann, bob = register("ann"), register("bob")
    good, bad = upload(ann, description="a kite"), upload(ann, picture((30, 30)), description="see spam.example")
    of_bob, bad_of_bob = upload(bob), upload(bob, picture((20, 20)), description="https://spam.example")
    post = post_with(ann, good)
    comment = comment_with(bob, post, of_bob).json()
    keep("domain", "spam.example", "reject")
    shown = {"media_ids": [bad["id"]]}
    path = f"/v1/posts/{post['id']}"
    refused = (422, [("content", "refused_by_rule")])
    assert refusal(ann.client.post("/v1/posts", {"content": "look", **shown})) == refused
    assert refusal(ann.client.patch(path, shown)) == refused
    assert refusal(comment_with(bob, post, bad_of_bob)) == refused
    for person, media in ((ann, good), (bob, of_bob)):
        answer = person.client.patch(f"/v1/media/{media['id']}", {"description": "go to www.spam.example"})
        assert refusal(answer) == (422, [("description", "refused_by_rule")])
    assert ann.client.get(path).json()["media"][0]["description"] == "a kite"
    assert ann.client.get(f"/v1/comments/{comment['id']}").json()["media"][0]["description"] == ""
    assert ann.client.patch(f"/v1/media/{bad['id']}", {"description": "spam.example"}).status_code == 200, "not shown"


def test_what_was_described_before_the_rule_is_found_by_the_next_edit(
    register: Callable[..., Person], upload: Upload, keep: Callable[..., None]
) -> None:
    ann, bob = register("ann"), register("bob")
    post = post_with(ann, upload(ann, description="a casino"))
    comment = comment_with(bob, post, upload(bob, description="my casino")).json()
    keep("words", "casino", "reject")
    assert ann.client.patch(f"/v1/posts/{post['id']}", {"content": "else"}).status_code == 422
    assert bob.client.patch(f"/v1/comments/{comment['id']}", {"content": "else"}).status_code == 422


def test_a_holding_rule_reads_descriptions(
    register: Callable[..., Person], upload: Upload, keep: Callable[..., None], drain: Callable[[], int]
) -> None:
    ann, bob = register("ann"), register("bob")
    public = post_with(ann)
    keep("words", "roulette", "hold")
    held = post_with(ann, upload(ann, description="roulette"))
    comment = comment_with(bob, public, upload(bob, description="my roulette")).json()
    assert (held["withheld"], comment["withheld"]) == ("waiting", "waiting")
    drain()
    for case in Case.objects.filter(closed_at=None):
        dismiss_case(moderator_id=900, case_id=case.id, reason="fine")
    drain()
    assert bob.client.get(f"/v1/posts/{held['id']}").json()["withheld"] is None
    assert ann.client.get(f"/v1/comments/{comment['id']}").json()["media"][0]["description"] == "my roulette"


def test_a_new_description_is_checked_a_moment_later(
    register: Callable[..., Person], upload: Upload, keep: Callable[..., None], drain: Callable[[], int]
) -> None:
    ann, bob = register("ann"), register("bob")
    of_ann, of_bob = upload(ann), upload(bob)
    post = post_with(ann, of_ann)
    comment = comment_with(bob, post, of_bob).json()
    drain()
    keep("words", "poker", "flag")
    keep("words", "roulette", "hold")
    assert bob.client.patch(f"/v1/media/{of_bob['id']}", {"description": "roulette"}).status_code == 200
    assert ann.client.patch(f"/v1/media/{of_ann['id']}", {"description": "poker"}).status_code == 200
    drain()
    hits = RuleHit.objects.values_list("target_type", "target_id", "effect")
    assert set(hits) == {("post", int(post["id"]), "flag"), ("comment", int(comment["id"]), "hold")}
    assert "poker" in Case.objects.get(target_id=int(post["id"])).flagged_words
    assert ann.client.get(f"/v1/comments/{comment['id']}").status_code == 404
    assert bob.client.get(f"/v1/comments/{comment['id']}").json()["withheld"] == "waiting"


def test_who_may_not_post_links_may_not_describe_with_them(register: Callable[..., Person], upload: Upload) -> None:
    ann = register("ann")
    shown, linked = upload(ann), upload(ann, picture((30, 30)), description="https://a.example/")
    post_with(ann, shown)
    Profile.objects.filter(user_id=int(ann.id)).update(links_limited=True)
    for answer in (
        ann.client.post("/v1/posts", {"content": "look", "media_ids": [linked["id"]]}),
        ann.client.patch(f"/v1/media/{shown['id']}", {"description": "https://a.example/"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "links_limited")


def test_a_rule_about_media_finds_them_in_comments(
    register: Callable[..., Person], upload: Upload, keep: Callable[..., None], drain: Callable[[], int]
) -> None:
    ann, bob = register("ann"), register("bob")
    keep("media", hashlib.sha256(picture()).hexdigest(), "remove")
    post = post_with(ann)
    found, other = (
        comment_with(bob, post, upload(bob)),
        comment_with(bob, post, upload(bob, variants()[0])),
    )
    drain()
    statuses = [ann.client.get(f"/v1/comments/{answer.json()['id']}").status_code for answer in (found, other)]
    assert statuses == [404, 200]
