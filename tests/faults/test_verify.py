"""`manage.py verify`: planted drift is found, reported and repaired; without drift it reports none."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from apps.auth.models import User
from apps.comments.models import CommentCount
from apps.metrics.models import MetricDelta
from apps.moderation.models import Case
from apps.notifications.models import Notification
from apps.posts.actions import CAP
from apps.posts.models import PostHashtag, PostMention, RepostCount
from apps.reactions.models import ReactionCount
from apps.search import actions as search_actions
from apps.search.actions import rebuild_index
from apps.users.actions.profiles import sanction_profile
from apps.users.models import FollowCount, PostCount, Profile
from socialapp.core.cache import redis_client
from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@pytest.fixture(autouse=True)
def _empty_index(db: None) -> None:
    """Empties the index in Elasticsearch, which no transaction rolls back."""
    if settings.ELASTICSEARCH_URL:
        rebuild_index()


def verify(*arguments: str) -> tuple[int, dict[str, list[tuple[str, int, str, str]]]]:
    """The exit status, and per context the differences as (projection, id, held, actual)."""
    out = io.StringIO()
    try:
        call_command("verify", "--json", *arguments, stdout=out)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    found = json.loads(out.getvalue())["contexts"]
    drifts = {
        report["context"]: [(one["projection"], one["id"], one["held"], one["actual"]) for one in report["drifts"]]
        for report in found
    }
    return status, {context: rows for context, rows in drifts.items() if rows}


@pytest.fixture
def settle(drain: Callable[[], int]) -> Callable[[], None]:
    """Delivers everything, and has the reconciler confirm it."""

    def run() -> None:
        drain()
        for context in CONTEXTS:
            OutboxEvent.objects.using(context).update(state=OutboxEvent.State.CONFIRMED)

    return run


@pytest.fixture
def installation(register: Callable[..., Person], settle: Callable[[], None]) -> dict[str, Any]:
    """Two users: one follows the other, and comments on, reacts to and reposts their posts."""
    ada, bob = register("ada"), register("bob")
    assert bob.client.put(f"/v1/profiles/{ada.id}/follow").status_code == 200
    assert bob.client.get("/v1/feed").json()["results"] == []
    post = ada.client.post("/v1/posts", {"content": "hello #world"}).json()
    settle()
    comment = bob.client.post(f"/v1/posts/{post['id']}/comments", {"content": "hi"}).json()
    assert bob.client.put(f"/v1/posts/{post['id']}/reaction", {"reaction_type": "love"}).status_code == 200
    assert bob.client.put(f"/v1/posts/{post['id']}/repost").status_code == 200
    settle()
    assert verify() == (0, {}), "what events have produced equals its source"
    return {"ada": ada, "bob": bob, "post": int(post["id"]), "comment": comment, "settle": settle}


def assert_repaired(found: dict[str, list[tuple[str, int, str, str]]], settle: Callable[[], None]) -> None:
    assert verify() == (1, found)
    assert verify("--repair") == (0, found)
    settle()
    assert verify() == (0, {})


def test_drift_in_counts_of_followers_and_posts_is_repaired(installation: dict[str, Any]) -> None:
    ada = int(installation["ada"].id)
    FollowCount.objects.filter(user_id=ada, followers=1).update(followers=5)
    PostCount.objects.filter(user_id=ada).update(posts=0)
    found = {
        "users": [("follow_counts", ada, "5 and 0", "1 and 0"), ("post_counts", ada, "0 and 1", "1 and 1")],
    }
    # Metrics are compared with the counts: once those are right, so are the metrics.
    assert verify() == (1, {**found, "metrics": [("followers", ada, "1", "5")]})
    assert verify("--repair") == (0, found)
    assert verify() == (0, {})
    profile = installation["bob"].client.get(f"/v1/profiles/{ada}").json()
    assert (profile["followers_count"], profile["posts_count"]) == (1, 1)


def test_drift_in_counts_of_comments_reactions_and_reposts_is_repaired(installation: dict[str, Any]) -> None:
    post = installation["post"]
    CommentCount.objects.filter(post_id=post).delete()
    ReactionCount.objects.filter(target_id=post, reaction_type="love", count=1).update(count=3)
    RepostCount.objects.filter(post_id=post).update(count=7)
    found = {
        "posts": [("repost_counts", post, "7", "1")],
        "comments": [("comments_count", post, "0", "1")],
        "reactions": [("love on post", post, "3", "1")],
    }
    # Metrics are compared with the counts: once those are right, so are the metrics.
    assert verify() == (1, {**found, "metrics": [("comments", post, "1", "0"), ("reactions", post, "1", "3")]})
    assert verify("--repair") == (0, found)
    assert verify() == (0, {})
    body = installation["bob"].client.get(f"/v1/posts/{post}").json()
    assert (body["comments_count"], body["reactions"]["love"], body["reposts_count"]) == (1, 1, 1)


def test_drift_in_hidden_users_is_repaired(installation: dict[str, Any]) -> None:
    ada, bob = int(installation["ada"].id), int(installation["bob"].id)
    Profile.objects.filter(user_id=ada).update(status="banned")
    User.objects.filter(id=bob).update(status="banned")
    found = {"users": [("statuses", ada, "banned", "active"), ("statuses", bob, "active", "banned")]}
    assert_repaired(found, installation["settle"])
    assert installation["ada"].client.get(f"/v1/profiles/{bob}").status_code == 404
    assert installation["ada"].client.get(f"/v1/profiles/{ada}").status_code == 200


def test_a_repair_does_not_undo_a_concurrent_sanction(installation: dict[str, Any]) -> None:
    bob = int(installation["bob"].id)
    looked_at = timezone.now()
    sanction_profile(user_id=bob, kind="ban", at=timezone.now())
    sanction_profile(user_id=bob, kind="unban", at=looked_at)
    assert Profile.objects.get(user_id=bob).status == "banned"


def test_drift_in_hashtags_and_mentions_is_repaired(installation: dict[str, Any]) -> None:
    post, somebody = installation["post"], 77 << 16
    PostHashtag.objects.filter(post_id=post).delete()
    PostMention.objects.create(post_id=post, user_id=somebody)
    found = {"posts": [("hashtags", post, "none", "world"), ("mentions", post, str(somebody), "none")]}
    assert_repaired(found, installation["settle"])
    assert [tag.tag for tag in PostHashtag.objects.filter(post_id=post)] == ["world"]
    assert not PostMention.objects.exists()


def test_drift_in_counts_of_reports_is_repaired(installation: dict[str, Any]) -> None:
    report = {"target_type": "post", "target_id": str(installation["post"]), "reason": "spam"}
    assert installation["bob"].client.post("/v1/reports", report).status_code == 201
    installation["settle"]()
    case = Case.objects.get()
    Case.objects.update(reports_count=9)
    assert_repaired({"moderation": [("reports_counts", case.id, "9", "1")]}, installation["settle"])


def test_drift_in_feeds_is_repaired(installation: dict[str, Any]) -> None:
    bob, post = installation["bob"], installation["post"]
    assert [item["id"] for item in bob.client.get("/v1/feed").json()["results"]] == [str(post)]
    key = f"feed:{bob.id}"
    assert redis_client().llen(key) <= CAP
    redis_client().lrem(key, 0, str(post))
    redis_client().lrem(key, 0, f"{post}:{bob.id}")
    assert bob.client.get("/v1/feed").json()["results"] == []
    assert_repaired({"posts": [("feeds", int(bob.id), "1 posts wrong or missing", "0")]}, installation["settle"])
    assert [item["id"] for item in bob.client.get("/v1/feed").json()["results"]] == [str(post)]


def test_drift_in_the_search_index_is_repaired(installation: dict[str, Any]) -> None:
    ada, post = installation["ada"], installation["post"]
    search_actions.remove_post(post_id=post, author_id=int(ada.id))
    status, drifts = verify()
    assert (status, drifts) == (1, {"search": [("index of posts", post, "missing", "there")]})


def test_drift_in_notifications_is_repaired(installation: dict[str, Any]) -> None:
    ada, gone = installation["ada"], 1234 << 16
    reaction = Notification.objects.get(user_id=int(ada.id), kind="reaction")
    Notification.objects.filter(id=reaction.id).update(actors_count=9)
    comment = Notification.objects.get(user_id=int(ada.id), kind="comment")
    Notification.objects.filter(id=comment.id).update(post_id=gone)
    found = {"notifications": [("actors", reaction.id, "9", "1"), ("posts_told_of", gone, "notified", "gone")]}
    assert_repaired(found, installation["settle"])
    assert not Notification.objects.filter(id=comment.id).exists()
    assert Notification.objects.get(id=reaction.id).actors_count == 1


def test_drift_in_metrics_is_repaired(installation: dict[str, Any]) -> None:
    ada, post = int(installation["ada"].id), installation["post"]
    MetricDelta.objects.filter(post_id=post, metric="reactions").delete()
    MetricDelta.objects.filter(author_id=ada, metric="posts").update(amount=4)
    MetricDelta.objects.filter(author_id=ada, metric="followers").delete()
    found = {"metrics": [("reactions", post, "0", "1"), ("posts", ada, "4", "1"), ("followers", ada, "0", "1")]}
    assert_repaired(found, installation["settle"])
    assert installation["ada"].client.get(f"/v1/posts/{post}/metrics").json()["reactions"] == 1
    assert installation["ada"].client.get("/v1/metrics/me").json()["posts"] == 1


def test_pending_events_are_not_drift(installation: dict[str, Any]) -> None:
    """Neither reported nor repaired: the event will do it, and both together would do it twice."""
    installation["ada"].client.post("/v1/posts", {"content": "not delivered yet"})
    assert verify("--repair") == (0, {})
    installation["settle"]()
    assert verify() == (0, {})
    assert PostCount.objects.get(user_id=int(installation["ada"].id)).posts == 2


def test_verify_prints_a_line_for_each_difference(installation: dict[str, Any]) -> None:
    RepostCount.objects.filter(post_id=installation["post"]).update(count=7)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", stdout=out)
    assert f"posts: repost_counts of {installation['post']}: 7, not 1" in out.getvalue().splitlines()
    out = io.StringIO()
    call_command("verify", "--repair", stdout=out)
    assert f"posts: repost_counts of {installation['post']}: 7, not 1 (repaired)" in out.getvalue().splitlines()
