"""Demo data: the story is written through the API and can be resumed; a crowd is distributed like a real network."""

import io
import json
from collections import Counter
from collections.abc import Callable
from statistics import median

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from apps.comments.models import Comment
from apps.posts.actions import process_waiting_media
from apps.posts.models import Post
from apps.reactions.models import Reaction
from apps.users.models import Follow, FollowCount, PostCount, Profile
from socialapp.contracts.metrics import Metrics
from socialapp.demo.story import Story
from socialapp.messaging.models import FailedDelivery
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


def rows() -> list[int]:
    """The number of rows of each kind."""
    return [model._default_manager.count() for model in (Profile, Follow, Post, Comment, Reaction)]


def run_demo(password: str = PASSWORD) -> dict[str, str]:
    """Runs the command; returns the account that it prints."""
    output = io.StringIO()
    call_command("demo", password=password, json=True, no_pictures=True, stdout=output)
    found: dict[str, str] = json.loads(output.getvalue())
    return found


def test_an_interrupted_story_is_completed(drain: Callable[[], int], anonymous: JsonClient) -> None:
    interrupted = Story(password=PASSWORD, has_pictures=False)
    for step in interrupted.steps()[:450]:
        step()
    assert run_demo() == {"username": "valjean", "password": PASSWORD}
    drain()
    before = rows()
    assert before[:4] == [77, 326, 72, 80]
    assert 140 <= before[4] <= 160, "a second reaction to the same post replaces the first"
    with pytest.raises(CommandError, match="another password"):
        run_demo("another password")
    assert rows() == before
    access = anonymous.post("/v1/auth/login", {"login": "valjean", "password": PASSWORD}).json()["access"]
    hero = JsonClient(access)
    assert len(hero.get("/v1/feed").json()["results"]) == 20
    assert hero.get("/v1/notifications").json()["results"]
    assert Comment.objects.exclude(parent_comment_id=None).exists()
    assert Post.objects.filter(is_private=True).exists()


def test_a_crowd_has_a_few_popular_users_and_consistent_counts(drain: Callable[[], int]) -> None:
    sizes = {"posts": 300, "comments": 300, "reactions": 300}
    call_command("demo", people=300, password=PASSWORD, stdout=io.StringIO(), **sizes)
    drain()
    assert FailedDelivery.objects.using("users").count() == 0
    followers = Counter(Follow.objects.values_list("following_id", flat=True))
    numbers = sorted(
        (followers[user_id] for user_id in Profile.objects.values_list("user_id", flat=True)), reverse=True
    )
    assert len(numbers) == 300
    assert min(numbers[:3]) >= 8 * median(numbers), "the top 1 % have many times the median"
    counted = FollowCount.objects.values_list("user_id").annotate(Sum("followers"))
    assert {user_id: number for user_id, number in counted if number} == dict(followers)
    posts = dict(Post.objects.values_list("user_id").annotate(Count("id")))
    assert dict(PostCount.objects.values_list("user_id", "posts")) == posts
    days = client(Metrics).overview(days=32)
    totals = [sum(getattr(day, kind) for day in days) for kind in ("registrations", "posts", "comments", "reactions")]
    assert totals == [300, 300, 300, Reaction.objects.count()]


def test_a_crowd_is_not_created_twice() -> None:
    call_command("demo", people=3, password=PASSWORD, stdout=io.StringIO())
    with pytest.raises(CommandError, match="username is taken"):
        call_command("demo", people=3, password=PASSWORD, stdout=io.StringIO())
    with pytest.raises(CommandError, match="at least 1"):
        call_command("demo", people=0)
    with pytest.raises(CommandError, match="--posts must be at least 0"):
        call_command("demo", people=3, posts=-1)
    assert Profile.objects.count() == 3


def test_the_story_has_profile_pictures_post_pictures_and_a_video(
    anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(password=PASSWORD)
    uploads = [step for step in story.steps() if getattr(step, "func", step).__name__.startswith("_upload")]
    assert len(uploads) == 77 + 12 + 1
    monkeypatch.setattr("socialapp.demo.story.time.sleep", lambda seconds: process_waiting_media())
    names = {"Valjean", story._painter()}
    for name in sorted(names):
        story._join(name)
        story._upload_face(name)
        story._show_face(name)
    for number in range(2):
        story._upload_landscape(number)
    story._upload_film()
    story._show_landscapes("Two of them.", 0, 2)
    story._show_film()
    film, landscapes = anonymous.get(f"/v1/profiles/{story.cast.ids[story._painter()]}/posts").json()["results"]
    assert [media["type"] for media in (*film["media"], *landscapes["media"])] == ["video", "image", "image"]
    assert all(media["description"] for media in landscapes["media"])
    assert all(anonymous.get(f"/v1/profiles/{story.cast.ids[name]}").json()["profile_picture"] for name in names)
    assert film["media"][0]["duration"] == 3
