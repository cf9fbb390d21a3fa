"""Counting events: once each, in any order, late, before and after a rollup, and never for deleted subjects."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.metrics import actions, queries
from apps.metrics.actions import erasure
from apps.metrics.models import AuthorRollup, MetricDelta, OverallRollup, Post, PostRollup
from socialapp.contracts.auth import UserDeleted, UserRegistered
from socialapp.contracts.comments import CommentCreated, CommentDeleted
from socialapp.contracts.metrics import Metrics, PostEngagement
from socialapp.contracts.posts import PostCreated, PostDeleted, PostsViewed, Reposted, Unreposted, ViewCount
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.contracts.users import Followed, Unfollowed
from socialapp.core.ids import first_id_at, new_id
from socialapp.lifecycle.models import Tombstone
from socialapp.messaging.delivery import deliver as deliver_to
from socialapp.messaging.envelope import Envelope, decode, wrap
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

AUTHOR, READER = 11, 12
_fresh = count(1_000)


def ids_at(moment: datetime) -> Iterator[int]:
    start = first_id_at(moment)
    return (start + offset for offset in count(next(_fresh)))


@pytest.fixture
def post_id() -> int:
    return new_id()


def envelopes(*events: object) -> list[Envelope]:
    return [wrap(event, event_id=new_id()) for event in events]


def deliver(*events: object) -> None:
    deliver_to("metrics", envelopes=envelopes(*events))
    assert not FailedDelivery.objects.using("metrics").exists()


def created(post_id: int, author_id: int = AUTHOR) -> PostCreated:
    return PostCreated(
        post_id=post_id,
        author_id=author_id,
        is_private=False,
        hashtags=[],
        mention_ids=[],
        created_at=timezone.now(),
        version=1,
    )


def deleted(post_id: int, author_id: int = AUTHOR) -> PostDeleted:
    return PostDeleted(post_id=post_id, author_id=author_id, was_private=False, version=2)


def reacted(
    post_id: int, *, previous: str | None = None, target_type: str = "post", at: datetime | None = None
) -> object:
    return ReactionSet(
        target_type=target_type,
        target_id=post_id,
        target_author_id=AUTHOR,
        post_id=post_id,
        user_id=READER,
        reaction_type="like",
        previous=previous,
        at=at or timezone.now(),
    )


def unreacted(post_id: int, *, target_type: str = "post") -> object:
    return ReactionRemoved(
        target_type=target_type,
        target_id=post_id,
        target_author_id=AUTHOR,
        post_id=post_id,
        user_id=READER,
        reaction_type="like",
        at=timezone.now(),
    )


def commented(post_id: int, comment_id: int) -> CommentCreated:
    return CommentCreated(
        comment_id=comment_id,
        post_id=post_id,
        post_author_id=AUTHOR,
        author_id=READER,
        parent_comment_id=None,
        parent_author_id=None,
        mention_ids=[],
        created_at=timezone.now(),
    )


def uncommented(post_id: int, comment_id: int) -> CommentDeleted:
    return CommentDeleted(comment_id=comment_id, post_id=post_id, author_id=READER)


def viewed(*posts: tuple[int, int], at: datetime | None = None) -> PostsViewed:
    counts = [ViewCount(post_id=post, author_id=AUTHOR, views=views, impressions=views) for post, views in posts]
    return PostsViewed(batch_id=new_id(), at=at or timezone.now(), counts=counts)


def reposted(post_id: int) -> Reposted:
    return Reposted(post_id=post_id, author_id=AUTHOR, user_id=READER, at=timezone.now())


def roll_up() -> int:
    return actions.roll_up(older_than=timedelta(0))


def totals(post_id: int) -> dict[str, int]:
    return queries.post_totals(post_id=post_id).totals


def today() -> dict[str, int]:
    row = client(Metrics).overview(days=1)[0]
    names = ("posts", "comments", "reactions", "reposts", "views", "registrations")
    return {name: getattr(row, name) for name in names}


def everything(post_id: int, comment_id: int) -> list[object]:
    return [
        created(post_id),
        viewed((post_id, 7)),
        reacted(post_id),
        reacted(post_id, previous="like"),
        commented(post_id, comment_id),
        reposted(post_id),
        Followed(follower_id=READER, following_id=AUTHOR, accepted=False, at=timezone.now()),
        UserRegistered(user_id=READER, username="reader", full_name="", created_at=timezone.now()),
    ]


def test_every_kind_of_event_is_counted_for_post_author_and_overall(post_id: int) -> None:
    deliver(*everything(post_id, new_id()))
    assert totals(post_id) == {"views": 7, "impressions": 7, "reactions": 1, "comments": 1, "reposts": 1}
    author = queries.author_totals(author_id=AUTHOR).totals
    assert author == {
        "views": 7,
        "impressions": 7,
        "reactions": 1,
        "comments": 1,
        "reposts": 1,
        "posts": 1,
        "followers": 1,
    }
    assert today() == {"posts": 1, "comments": 1, "reactions": 1, "reposts": 1, "views": 7, "registrations": 1}


def test_a_rollup_changes_no_number_and_leaves_no_deltas(post_id: int) -> None:
    deliver(*everything(post_id, new_id()))
    before = (queries.post_totals(post_id=post_id), queries.author_totals(author_id=AUTHOR), today())
    assert roll_up() == 8
    assert roll_up() == 0
    assert not MetricDelta.objects.exists()
    assert (queries.post_totals(post_id=post_id), queries.author_totals(author_id=AUTHOR), today()) == before
    assert {row.period for row in PostRollup.objects.all()} == {"hour", "day"}


def test_a_rollup_adds_to_earlier_rollups(post_id: int) -> None:
    deliver(created(post_id), viewed((post_id, 7)))
    roll_up()
    deliver(viewed((post_id, 5)), reacted(post_id))
    assert totals(post_id)["views"] == 12
    roll_up()
    assert totals(post_id) == {"views": 12, "impressions": 12, "reactions": 1, "comments": 0, "reposts": 0}
    assert PostRollup.objects.get(period="day").views == 12
    assert OverallRollup.objects.get(period="day").views == 12


def test_recent_deltas_are_not_rolled_up_yet(post_id: int) -> None:
    deliver(viewed((post_id, 1)))
    assert actions.roll_up(older_than=timedelta(minutes=1)) == 0
    assert MetricDelta.objects.count() == 2


def test_a_duplicate_event_is_counted_once(post_id: int) -> None:
    batch = envelopes(*everything(post_id, new_id()))
    for _ in range(2):
        deliver_to("metrics", envelopes=batch)
        deliver_to("metrics", envelopes=[*batch, *batch])
        roll_up()
    assert totals(post_id) == {"views": 7, "impressions": 7, "reactions": 1, "comments": 1, "reposts": 1}
    assert today()["registrations"] == 1


@pytest.mark.parametrize("seed", range(8))
def test_events_may_arrive_in_any_order(post_id: int, seed: int) -> None:
    comment, kept = new_id(), new_id()
    events = [
        *everything(post_id, comment),
        commented(post_id, kept),
        uncommented(post_id, comment),
        unreacted(post_id),
        Unreposted(post_id=post_id, author_id=AUTHOR, user_id=READER),
        Unfollowed(follower_id=READER, following_id=AUTHOR, at=timezone.now()),
    ]
    shuffled = random.Random(seed)
    shuffled.shuffle(events)
    for event in events:
        deliver(event)
        if shuffled.random() < 0.3:
            roll_up()
    assert totals(post_id) == {"views": 7, "impressions": 7, "reactions": 0, "comments": 1, "reposts": 0}
    author = queries.author_totals(author_id=AUTHOR).totals
    assert author == {
        "views": 7,
        "impressions": 7,
        "reactions": 0,
        "comments": 1,
        "reposts": 0,
        "posts": 1,
        "followers": 0,
    }
    # Overall numbers keep what happened even if it was undone.
    assert today() == {"posts": 1, "comments": 2, "reactions": 1, "reposts": 1, "views": 7, "registrations": 1}


@pytest.mark.parametrize("seed", range(8))
def test_a_deleted_post_has_no_numbers_in_any_order_of_events(post_id: int, seed: int) -> None:
    other = new_id()
    events = [*everything(post_id, new_id()), deleted(post_id), created(other), reacted(other)]
    shuffled = random.Random(seed)
    shuffled.shuffle(events)
    for event in events:
        deliver(event)
        if shuffled.random() < 0.3:
            roll_up()
    roll_up()
    assert totals(post_id) == {"views": 0, "impressions": 0, "reactions": 0, "comments": 0, "reposts": 0}
    assert not PostRollup.objects.filter(post_id=post_id).exists()
    assert Post.objects.get(id=post_id).author_id is None
    author = queries.author_totals(author_id=AUTHOR).totals
    assert author == {
        "views": 0,
        "impressions": 0,
        "reactions": 1,
        "comments": 0,
        "reposts": 0,
        "posts": 1,
        "followers": 1,
    }
    assert today()["posts"] == 2


def test_a_reaction_to_a_comment_counts_overall_only(post_id: int) -> None:
    deliver(reacted(post_id, target_type="comment"), unreacted(post_id, target_type="comment"))
    assert totals(post_id)["reactions"] == 0
    assert today()["reactions"] == 1


def test_late_events_count_on_the_day_they_happened() -> None:
    now = timezone.now()
    two_days_ago = now - timedelta(days=2)
    old_post = next(ids_at(now - timedelta(days=3)))
    deliver(viewed((old_post, 3), at=two_days_ago), commented(old_post, next(ids_at(two_days_ago))), reacted(old_post))
    roll_up()
    by_day = dict(queries.post_totals(post_id=old_post).by_day)
    assert list(by_day) == [(now - timedelta(days=age)).astimezone(UTC).date() for age in (3, 2, 1, 0)]
    assert [day["views"] for day in by_day.values()] == [0, 3, 0, 0]
    assert [day["comments"] for day in by_day.values()] == [0, 1, 0, 0]
    assert [day["reactions"] for day in by_day.values()] == [0, 0, 0, 1]


def test_totals_cover_more_than_the_days_shown() -> None:
    long_ago = timezone.now() - timedelta(days=400)
    old_post = next(ids_at(long_ago))
    deliver(viewed((old_post, 3), at=long_ago), viewed((old_post, 2)))
    roll_up()
    numbers = queries.post_totals(post_id=old_post)
    assert numbers.totals["views"] == 5
    assert len(numbers.by_day) == queries.DAYS_SHOWN
    assert sum(day["views"] for _, day in numbers.by_day) == 2


def test_the_overview_includes_days_without_activity(post_id: int) -> None:
    deliver(reacted(post_id, at=timezone.now() - timedelta(days=1)))
    days = client(Metrics).overview(days=30)
    assert len(days) == 30
    assert [day.reactions for day in days] == [0] * 28 + [1, 0]
    assert days[-1].date == timezone.now().astimezone(UTC).date().isoformat()


def test_a_batch_of_views_takes_the_same_queries_for_any_size() -> None:
    def statements(posts: int) -> int:
        event = viewed(*((new_id(), 1) for _ in range(posts)))
        with CaptureQueriesContext(connections["metrics"]) as captured:
            deliver(event)
        return len(captured)

    assert statements(1) == statements(60)


def test_reading_takes_the_same_queries_for_one_post_and_for_many(
    django_assert_num_queries: Callable[..., object],
) -> None:
    def read() -> int:
        with CaptureQueriesContext(connections["metrics"]) as captured:
            queries.author_totals(author_id=AUTHOR)
        return len(captured)

    first = new_id()
    deliver(created(first), reacted(first))
    few = read()
    for _ in range(30):
        post = new_id()
        deliver(created(post), reacted(post))
    roll_up()
    assert read() == few == 4


def test_old_hours_are_deleted_and_days_are_kept(post_id: int) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    deliver(viewed((post_id, 3), at=long_ago), viewed((post_id, 2)))
    roll_up()
    assert actions.delete_old_hours() == 2
    assert actions.delete_old_hours() == 0
    assert totals(post_id)["views"] == 5
    assert PostRollup.objects.filter(period="hour").get().views == 2


def test_hours_in_the_future_are_omitted() -> None:
    """A fast clock produces times in the future, and a new hour may begin between two statements."""
    before = queries.hours(hours=3)
    ahead = timezone.now() + timedelta(hours=5)
    deliver(reacted(new_id(), at=ahead))
    assert MetricDelta.objects.filter(at__gt=timezone.now()).exists()
    assert queries.hours(hours=3) == before
    roll_up()
    assert OverallRollup.objects.filter(period="hour", start__gt=timezone.now()).exists()
    assert queries.hours(hours=3) == before


def erased_events() -> list[str]:
    published = OutboxEvent.objects.using("metrics").filter(type__startswith="metrics.user_erased")
    return list(published.order_by("id").values_list("type", flat=True))


@pytest.mark.parametrize("rolled_up", [False, True])
def test_erasure_removes_everything_and_late_events_recreate_nothing(post_id: int, rolled_up: bool) -> None:
    deliver(*everything(post_id, new_id()))
    if rolled_up:
        roll_up()
    erased = UserDeleted(user_id=AUTHOR, erasure_id=5)
    batch = envelopes(erased)
    deliver_to("metrics", envelopes=batch)
    deliver_to("metrics", envelopes=batch)
    assert erased_events() == ["metrics.user_erased.v1"]
    late = new_id()
    deliver(
        created(late),
        created(post_id),
        reacted(post_id),
        deleted(post_id),
        Followed(follower_id=READER, following_id=AUTHOR, accepted=False, at=timezone.now()),
        Unfollowed(follower_id=READER, following_id=AUTHOR, at=timezone.now()),
    )
    roll_up()
    assert not AuthorRollup.objects.filter(author_id=AUTHOR).exists()
    assert not MetricDelta.objects.filter(author_id=AUTHOR).exists()
    assert not Post.objects.filter(author_id=AUTHOR).exists()
    assert not PostRollup.objects.exists()
    assert Tombstone.objects.using("metrics").filter(subject_id=AUTHOR).count() == 1
    assert today()["posts"] == 3, "overall numbers contain no personal data and stay"


def test_a_large_erasure_runs_in_steps(monkeypatch: pytest.MonkeyPatch, drain: Callable[[], int]) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for _ in range(5):
        deliver(created(new_id()))
    deliver(UserDeleted(user_id=AUTHOR, erasure_id=5))
    assert Post.objects.filter(author_id=AUTHOR).count() == 3
    assert erased_events() == []
    drain()
    assert erased_events() == ["metrics.user_erased.v1"]
    assert not Post.objects.filter(author_id=AUTHOR).exists()


def test_a_rollup_drops_deltas_with_a_concurrent_tombstone(post_id: int) -> None:
    deliver(*everything(post_id, new_id()))
    # The result of two concurrent transactions: the handler saw no tombstone, and the deletion saw no delta.
    Post.objects.filter(id=post_id).update(is_deleted=True, author_id=None)
    lifecycle_tombstone = Tombstone.objects.using("metrics").create(kind="user", subject_id=AUTHOR)
    assert lifecycle_tombstone.pk is not None
    assert MetricDelta.objects.filter(post_id=post_id).exists()
    assert MetricDelta.objects.filter(author_id=AUTHOR).exists()
    roll_up()
    assert not PostRollup.objects.exists()
    assert not AuthorRollup.objects.exists()
    assert not MetricDelta.objects.exists()
    assert OverallRollup.objects.get(period="day").views == 7, "overall numbers contain no personal data and stay"


def test_a_rollup_publishes_the_engagement_of_changed_posts(post_id: int) -> None:
    deliver(*everything(post_id, new_id()))
    roll_up()
    (published,) = OutboxEvent.objects.using("metrics").filter(type="metrics.engagement_changed.v1")
    assert decode(published.envelope).data["counts"] == [
        {"post_id": post_id, "reactions": 1, "comments": 1, "reposts": 1}
    ]
    assert client(Metrics).engagement(post_ids=[post_id, 1]) == [
        PostEngagement(post_id=post_id, reactions=1, comments=1, reposts=1),
        PostEngagement(post_id=1, reactions=0, comments=0, reposts=0),
    ]


def test_posts_trend_by_engagement_that_halves_every_six_hours() -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    fresh, older, old = (new_id() for _ in range(3))
    for post_id, reactions, hours in ((fresh, 2, 0), (older, 3, 6), (old, 900, 49)):
        start = now - timedelta(hours=hours)
        PostRollup.objects.create(post_id=post_id, period="hour", start=start, reactions=reactions, views=1000)
    found = client(Metrics).trending_posts(limit=10)
    assert [one.post_id for one in found] == [fresh, older]
    assert found[0].score / found[1].score == pytest.approx(4 / 3)
    assert [one.post_id for one in client(Metrics).trending_posts(limit=1)] == [fresh]
