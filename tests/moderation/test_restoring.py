"""An accepted appeal restores removed content: the text, others' activity on it, every count and position."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from apps.comments.actions import delete_long_removed as delete_old_comments
from apps.comments.models import Comment, RemovedComment
from apps.metrics.actions import roll_up
from apps.metrics.models import OverallRollup
from apps.moderation import actions
from apps.moderation.models import Action
from apps.moderation.queries import Target
from apps.posts.actions import delete_long_removed as delete_old_posts
from apps.posts.models import Post, PostHashtag, RemovedPost
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.bulk import BulkTransfer, Record
from socialapp.contracts.moderation import ContentRemoved, ContentRestored
from socialapp.core.db import atomic
from socialapp.core.errors import Conflict
from socialapp.lifecycle.erasure_audit import audit_erasure
from socialapp.lifecycle.models import Tombstone
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.acts import act
from tests.moderation.conftest import MODERATOR_ID, Thread, enter, report
from tests.moderation.found import drifts, everything, settle

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def remove(thread: Thread, target_type: str) -> Action:
    """Removes the post or the comment, without delivering the event."""
    author, target_id = (thread.ann, thread.post_id) if target_type == "post" else (thread.ben, thread.comment_id)
    target = Target(target_type, int(target_id), int(author.id))
    return actions.remove_content(moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="spam"))


def win_appeal(removal: Action) -> None:
    """The person concerned appeals, and the appeal is accepted."""
    made = actions.file_appeal(user_id=removal.user_id or 0, action_id=removal.id, text="it is fine")
    actions.decide_appeal(moderator_id=901, appeal_id=made.id, is_accepted=True, answer="you are right")


def content(found: Any) -> str:
    """The non-empty parts of what was found."""
    return repr([value for value in found.values() if value])


def notifications_of(person: Person) -> list[tuple[str, str | None]]:
    """The kinds and targets of somebody's notifications, without those from moderation."""
    listed = person.client.get("/v1/notifications").json()["results"]
    return [(item["kind"], (item["target"] or {}).get("id")) for item in listed if item["kind"] != "moderation"]


@pytest.mark.parametrize("target_type", ["post", "comment"])
def test_removed_content_is_restored_exactly(
    lively: Thread, drain: Callable[[], int], anonymous: JsonClient, target_type: str
) -> None:
    readers = (lively.ann.client, lively.ben.client, lively.cleo.client, anonymous)
    people = (lively.ann, lively.ben, lively.cleo)
    before = [everything(lively, reader) for reader in readers]
    notifications = [notifications_of(person) for person in people]
    removal = remove(lively, target_type)
    drain()
    assert lively.cleo.client.get("/v1/feed").status_code == 200
    word = "a plain post" if target_type == "post" else "a plain comment"
    gone = lively.post_id if target_type == "post" else lively.comment_id
    for reader, earlier in zip(readers, before, strict=True):
        assert word in content(earlier)
        found = everything(lively, reader)
        assert word not in content(found)
        assert found[f"/v1/{target_type}s/{gone}"] is None
        assert gone not in content({"list": found[f"/v1/posts/{lively.post_id}/comments"]})
    for person in people:
        assert gone not in [target for _, target in notifications_of(person)]
    settle()
    assert drifts() == []
    win_appeal(removal)
    drain()
    assert [everything(lively, reader) for reader in readers] == before
    assert [notifications_of(person) for person in people] == notifications
    settle()
    assert drifts() == []


@pytest.mark.parametrize("target_type", ["post", "comment"])
def test_events_may_arrive_in_any_order_and_twice(lively: Thread, drain: Callable[[], int], target_type: str) -> None:
    before = everything(lively, lively.cleo.client)
    target = lively.post_id if target_type == "post" else lively.comment_id
    same: dict[str, Any] = {"target_type": target_type, "target_id": int(target), "author_id": 1, "action_id": 77}
    for event in (ContentRestored(**same), ContentRemoved(**same, reason="late"), ContentRestored(**same)):
        with atomic("moderation"):
            publish(event)
        drain()
    assert everything(lively, lively.cleo.client) == before
    for _ in range(2):
        with atomic("moderation"):
            publish(ContentRemoved(**{**same, "action_id": 78}, reason="another removal"))
        drain()
    assert everything(lively, lively.cleo.client) != before
    for _ in range(2):
        with atomic("moderation"):
            publish(ContentRestored(**{**same, "action_id": 78}))
        drain()
    assert everything(lively, lively.cleo.client) == before


@pytest.mark.parametrize("target_type", ["post", "comment"])
def test_a_later_removal_may_arrive_before_the_earlier_one_is_reversed(
    lively: Thread, drain: Callable[[], int], target_type: str
) -> None:
    before = everything(lively, lively.cleo.client)
    target = lively.post_id if target_type == "post" else lively.comment_id
    same: dict[str, Any] = {"target_type": target_type, "target_id": int(target), "author_id": 1}

    def arrive(event: ContentRemoved | ContentRestored) -> None:
        with atomic("moderation"):
            publish(event)
        drain()

    arrive(ContentRemoved(**same, action_id=77, reason="spam"))
    removed = everything(lively, lively.cleo.client)
    arrive(ContentRemoved(**same, action_id=78, reason="it is spam after all"))
    arrive(ContentRestored(**same, action_id=77))
    arrive(ContentRemoved(**same, action_id=77, reason="spam"))
    assert everything(lively, lively.cleo.client) == removed != before
    arrive(ContentRestored(**same, action_id=78))
    assert everything(lively, lively.cleo.client) == before


def test_restored_content_can_be_removed_again(lively: Thread, drain: Callable[[], int]) -> None:
    first = remove(lively, "post")
    assert remove(lively, "post") == first, "a second removal changes nothing"
    drain()
    win_appeal(first)
    drain()
    second = remove(lively, "post")
    assert second.id != first.id
    drain()
    assert lively.ann.client.get(f"/v1/posts/{lively.post_id}").status_code == 404
    win_appeal(second)
    drain()
    assert lively.ann.client.get(f"/v1/posts/{lively.post_id}").status_code == 200
    kinds = [entry.kind for entry in Action.objects.order_by("sequence")]
    assert kinds == ["remove_content", "decide_appeal", "restore_content"] * 2


@pytest.mark.parametrize(
    ("decision", "target_type", "text"),
    [
        ("remove", "post", "a plain post #marmot"),
        ("remove", "comment", "a plain comment"),
        ("hide", "post", "a plain post #marmot"),
        ("hide", "comment", "a plain comment"),
        ("mark_sensitive", "post", "a plain post #marmot"),
        ("lock", "post", "a plain post #marmot"),
    ],
)
def test_moderators_see_the_content_that_an_appeal_is_about(
    lively: Thread, drain: Callable[[], int], decision: str, target_type: str, text: str
) -> None:
    action = actions.carry_out(act(lively, decision, target_type))
    made = actions.file_appeal(user_id=action.user_id or 0, action_id=action.id, text="look again")
    drain()
    browser = enter(lively.cleo, "moderator")
    assert text in browser.get("/admin/moderation/appeal/").content.decode()
    assert text in browser.get(f"/admin/moderation/appeal/{made.id}/change/").content.decode()


def test_appeals_are_rejected_after_the_appeal_period(lively: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    removal = remove(lively, "post")
    monkeypatch.setattr(settings, "APPEAL_DAYS", 0)
    with pytest.raises(Conflict) as refused:
        win_appeal(removal)
    assert refused.value.code == "appeal_too_late"


def test_removed_content_is_deleted_after_the_retention_period(lively: Thread, drain: Callable[[], int]) -> None:
    removals = [remove(lively, "comment")]
    drain()
    reply = {"content": "reply", "parent_comment_id": lively.comment_id}
    assert lively.cleo.client.post(f"/v1/posts/{lively.post_id}/comments", reply).status_code == 422
    long_ago = timezone.now() - timedelta(days=400)
    RemovedComment.objects.update(removed_at=long_ago)
    delete_old_comments()
    drain()
    assert not RemovedComment.objects.exists()
    assert not Comment.objects.exists()
    removals.append(remove(lively, "post"))
    drain()
    RemovedPost.objects.update(removed_at=long_ago)
    delete_old_posts()
    drain()
    assert not RemovedPost.objects.exists()
    assert not PostHashtag.objects.exists()
    for removal in removals:
        win_appeal(removal)
    drain()
    assert lively.ann.client.get(f"/v1/posts/{lively.post_id}").status_code == 404
    profile = lively.ann.client.get(f"/v1/profiles/{lively.ann.id}").json()
    assert profile["posts_count"] == 0
    assert lively.ann.client.get("/v1/metrics/me").json()["posts"] == 0
    settle()
    assert drifts() == []


@pytest.mark.parametrize("target_type", ["post", "comment"])
def test_removed_content_is_erased_with_its_author(lively: Thread, drain: Callable[[], int], target_type: str) -> None:
    removal = remove(lively, target_type)
    drain()
    author = removal.user_id or 0
    for person in (author, int(lively.cleo.id)):
        with atomic("auth"):
            publish(UserDeleted(user_id=person, erasure_id=1))
        drain()
        found = [one for one in audit_erasure(person) if not one.expected and one.store not in ("auth", "redis")]
        assert found == [], "nothing is left, of the author or of those mentioned"
    assert not RemovedPost.objects.exists()
    assert not RemovedComment.objects.exists()


def test_activity_undone_during_the_removal_is_not_restored(lively: Thread, drain: Callable[[], int]) -> None:
    removal = remove(lively, "post")
    drain()
    for path in ("repost", "reaction", "bookmark"):
        assert lively.cleo.client.delete(f"/v1/posts/{lively.post_id}/{path}").status_code == 404
    drain()
    win_appeal(removal)
    drain()
    post = lively.cleo.client.get(f"/v1/posts/{lively.post_id}").json()
    assert (post["reposts_count"], post["reactions"]["love"], post["bookmarked"]) == (0, 0, False)
    settle()
    assert drifts() == []


def test_a_removed_comment_keeps_its_thread(thread: Thread, drain: Callable[[], int]) -> None:
    path = f"/v1/posts/{thread.post_id}/comments"
    reply = thread.cleo.client.post(path, {"content": "reply", "parent_comment_id": thread.comment_id}).json()
    drain()
    assert report(thread.cleo, "comment", thread.comment_id).status_code == 201
    removal = remove(thread, "comment")
    drain()
    [stone] = thread.cleo.client.get(path).json()["results"]
    assert (stone["id"], stone["author"], stone["content"]) == (thread.comment_id, None, "")
    assert thread.cleo.client.get(f"/v1/comments/{thread.comment_id}/replies").json()["results"] == [reply]
    assert thread.cleo.client.delete(f"/v1/comments/{reply['id']}").status_code == 204
    win_appeal(removal)
    drain()
    [back] = thread.cleo.client.get(path).json()["results"]
    assert (back["author"]["id"], back["content"], back["replies_count"]) == (thread.ben.id, "a plain comment", 0)


def shown_comments(thread: Thread) -> list[tuple[str, bool, int]]:
    """All comments on the post, depth first: id, whether it has content (is no tombstone), number of replies."""
    found: list[tuple[str, bool, int]] = []

    def walk(path: str) -> None:
        for item in thread.cleo.client.get(path).json()["results"]:
            found.append((item["id"], item["author"] is not None, item["replies_count"]))
            if item["replies_count"]:
                walk(f"/v1/comments/{item['id']}/replies")

    walk(f"/v1/posts/{thread.post_id}/comments")
    return found


@pytest.mark.usefixtures("empty_index")
def test_a_tombstone_is_hidden_and_shown_with_its_removed_reply(thread: Thread, drain: Callable[[], int]) -> None:
    def reply(to: str) -> str:
        body = {"content": "reply", "parent_comment_id": to}
        made = thread.ben.client.post(f"/v1/posts/{thread.post_id}/comments", body)
        assert made.status_code == 201, made.content
        return str(made.json()["id"])

    top = thread.comment_id
    middle = reply(top)
    low, other = reply(middle), reply(middle)
    assert thread.ben.client.delete(f"/v1/comments/{middle}").status_code == 204
    drain()
    assert shown_comments(thread) == [(top, True, 1), (middle, False, 2), (low, True, 0), (other, True, 0)]
    removals = [remove(replace(thread, comment_id=one), "comment") for one in (low, other)]
    drain()
    assert shown_comments(thread) == [(top, True, 0)], "a tombstone without visible replies is hidden"
    assert thread.ben.client.get(f"/v1/comments/{middle}").status_code == 404
    assert thread.ben.client.delete(f"/v1/comments/{top}").status_code == 204
    assert shown_comments(thread) == []
    win_appeal(removals[1])
    drain()
    assert shown_comments(thread) == [(top, False, 1), (middle, False, 1), (other, True, 0)]
    settle()
    assert drifts() == []
    RemovedComment.objects.update(removed_at=timezone.now() - timedelta(days=400))
    delete_old_comments()
    assert sorted(Comment.objects.values_list("id", flat=True)) == sorted(map(int, (top, middle, other)))
    assert thread.ben.client.delete(f"/v1/comments/{other}").status_code == 204
    assert not Comment.objects.exists(), "nothing is left to restore"


def test_nothing_by_an_erased_author_is_restored(lively: Thread, drain: Callable[[], int]) -> None:
    removals = [remove(lively, kind) for kind in ("comment", "post")]
    drain()
    Tombstone.objects.using("posts").create(subject_id=int(lively.ann.id), kind="user")
    Tombstone.objects.using("comments").create(subject_id=int(lively.ben.id), kind="user")
    for removal in removals:
        win_appeal(removal)
    drain()
    assert not Post.objects.exists()
    assert not Comment.objects.filter(deleted_at=None).exists()


def test_removed_content_is_not_loaded_by_the_bulk_import(lively: Thread, drain: Callable[[], int]) -> None:
    def dump(kind: str) -> list[Record]:
        return client(BulkTransfer, context=f"{kind}s").dump(kind=kind, after="", limit=10).records

    def load(kind: str, records: list[Record]) -> None:
        assert client(BulkTransfer, context=f"{kind}s").load(kind=kind, records=records) == []
        drain()

    posts, comments = dump("post"), dump("comment")
    of_comment, of_post = (remove(lively, kind) for kind in ("comment", "post"))
    drain()
    assert (dump("post"), dump("comment")) == ([], [])
    load("post", posts)
    assert lively.ann.client.get(f"/v1/posts/{lively.post_id}").status_code == 404
    win_appeal(of_post)
    drain()
    load("comment", comments)
    assert shown_comments(lively) == []
    win_appeal(of_comment)
    drain()
    assert (dump("post"), dump("comment")) == (posts, comments)


def test_totals_count_restored_content_once(lively: Thread, drain: Callable[[], int]) -> None:
    def overall() -> list[tuple[int, int]]:
        roll_up(older_than=timedelta(0))
        days = OverallRollup.objects.filter(period=OverallRollup.Period.DAY)
        return list(days.order_by("start").values_list("posts", "comments"))

    before = overall()
    assert before
    removals = [remove(lively, kind) for kind in ("comment", "post")]
    drain()
    for removal in removals:
        win_appeal(removal)
    drain()
    assert overall() == before
