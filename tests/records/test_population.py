"""Bulk-filling a population: it has the drawn distribution, all counts match, and it is filled only once."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from apps.comments.models import Comment, CommentCount
from apps.posts.models import Post, PostHashtag
from apps.reactions.models import Reaction, ReactionCount
from apps.users.models import Follow, FollowCount, Profile
from socialapp.contracts.metrics import Metrics
from socialapp.messaging.models import OutboxEvent
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient

PASSWORD = "correct horse battery"
PEOPLE = 200


def demo(**options: object) -> dict[str, object]:
    """Runs the command; returns its report."""
    output = io.StringIO()
    call_command("demo", people=PEOPLE, bulk=True, password=PASSWORD, json=True, stdout=output, **options)
    found: dict[str, object] = json.loads(output.getvalue())
    return found


@pytest.fixture
def empty_index(settings: Any) -> Iterator[None]:
    """An index for this test only; other tests keep theirs."""
    settings.ELASTICSEARCH_PREFIX += "-population"
    yield
    if url := settings.ELASTICSEARCH_URL:
        for name in httpx.get(f"{url}/{settings.ELASTICSEARCH_PREFIX}*/_alias").json():
            httpx.delete(f"{url}/{name}").raise_for_status()


@pytest.mark.usefixtures("empty_index")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_a_bulk_filled_population_has_the_drawn_numbers_and_consistent_counts(anonymous: JsonClient) -> None:
    drawn = demo(dry_run=True)
    assert Profile.objects.count() == 0
    demo()
    found = {model: model._default_manager.count() for model in (Profile, Follow, Post, Comment, Reaction)}
    assert list(found.values()) == [drawn[kind] for kind in ("people", "follows", "posts", "comments", "reactions")]
    assert found[Profile] == PEOPLE
    assert found[Post] == 5 * PEOPLE
    assert found[Follow] == 20 * (PEOPLE - 1) + (PEOPLE - 1) // 2, "everybody follows 20, and one person many"
    assert 0.7 * 5 * PEOPLE < found[Comment] < 1.4 * 5 * PEOPLE
    _followers_fall_as_a_power_law()
    assert FollowCount.objects.aggregate(Sum("followers"))["followers__sum"] == found[Follow]
    assert CommentCount.objects.aggregate(Sum("count"))["count__sum"] == found[Comment]
    assert ReactionCount.objects.aggregate(Sum("count"))["count__sum"] == found[Reaction]
    assert PostHashtag.objects.values("post_id").distinct().count() == found[Post]
    assert not OutboxEvent.objects.using("posts").exists()
    verified = io.StringIO()
    call_command("verify", as_json=True, stdout=verified)
    for report in json.loads(verified.getvalue())["contexts"]:
        assert report["drifts"] == []
        assert report["compared"] or report["context"] in {"notifications", "moderation"}
    today = client(Metrics).overview(days=400)
    totals = [sum(getattr(day, kind) for day in today) for kind in ("registrations", "posts", "comments", "reactions")]
    assert totals == [PEOPLE, found[Post], found[Comment], found[Reaction]]
    with pytest.raises(CommandError, match="auth's users"):
        demo()
    _can_be_used(anonymous)


def _followers_fall_as_a_power_law() -> None:
    followers = Counter(Follow.objects.values_list("following_id", flat=True))
    ranked = [followers[user_id] for user_id in Profile.objects.order_by("user_id").values_list("user_id", flat=True)]
    first, middle, last = (sum(ranked[start : start + 10]) for start in (0, 50, 190))
    assert first > 1.8 * middle > 1.8 * 1.4 * last
    assert min(ranked) >= 1


def _can_be_used(anonymous: JsonClient) -> None:
    access = anonymous.post("/v1/auth/login", {"login": "person1", "password": PASSWORD}).json()["access"]
    reader = JsonClient(access)
    feed = reader.get("/v1/feed").json()["results"]
    assert len(feed) == 20
    most = Reaction.objects.filter(comment_id=None).values("post_id").annotate(n=Count("id")).order_by("-n")[0]
    popular = reader.get(f"/v1/posts/{most['post_id']}").json()
    assert sum(popular["reactions"].values()) == most["n"]
    found = reader.get("/v1/search?q=poetry&type=posts").json()["results"]
    assert len(found) == 20
