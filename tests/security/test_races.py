"""Races: sending a request many times at once achieves no more than sending it once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as configured
from django.core import mail
from django.db import connections
from django.test import Client

from apps.auth.actions import grant_role, send_due_mails
from apps.auth.models import User, UserRole
from apps.comments.models import Comment
from apps.moderation.models import Report
from apps.posts.models import Bookmark, Post, Repost
from apps.reactions.models import Reaction
from apps.users.models import Block, Follow, FollowRequest, Mute
from tests.auth.totp import code, log_in, set_up
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = [
    pytest.mark.skipif(configured.EMBEDDED, reason="SQLite in memory does not allow two writers at once"),
    pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True),
]
AT_ONCE = 8
Ask = Callable[[], Any]


def at_once(*asked: Ask) -> list[Any]:
    """Sends them all at the same time, each on its own connections; the responses, in order. None is a 5xx."""
    barrier = Barrier(len(asked))

    def send(ask: Ask) -> Any:
        try:
            barrier.wait()
            return ask()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(send, asked))
    assert all(answer.status_code < 500 for answer in answers), [answer.content for answer in answers]
    return answers


def statuses(answers: list[Any]) -> dict[int, int]:
    """The number of responses with each status."""
    return dict(Counter(answer.status_code for answer in answers))


def sign_up(username: str, address: str) -> Ask:
    """A registration, to be sent later."""
    body = {"username": username, "email": address, "password": "correct horse battery"}
    return lambda: JsonClient().post("/v1/auth/register", body)


def test_races_for_accounts(register: Callable[..., Person]) -> None:
    """One name in many spellings, one address, one mailed key, one code: each can be used once."""
    names = ["gwen", "GWEN", "Gwen", "gWen", "gwEn", "gweN", "GWen", "gwEN"]
    answers = at_once(*(sign_up(name, f"{n}@example.org") for n, name in enumerate(names)))
    assert statuses(answers) == {201: 1, 409: 7}
    answers = at_once(*(sign_up(f"person_{n}", f"{name}@EXAMPLE.org") for n, name in enumerate(names)))
    assert User.objects.filter(email__iexact="gwen@example.org").count() == 1, statuses(answers)

    register("alice")
    mail.outbox.clear()
    JsonClient().post("/v1/auth/password/forgot", {"email": "alice@example.org"})
    send_due_mails()
    [message] = [message for message in mail.outbox if message.subject == "Set a new password"]
    key = message.body.rpartition("Your key: ")[2].split()[0]
    resets = [
        lambda n=n: JsonClient().post("/v1/auth/password/reset", {"key": key, "password": f"fresh horse battery {n}"})
        for n in range(AT_ONCE)
    ]
    assert statuses(at_once(*resets)) == {204: 1, 422: AT_ONCE - 1}


def test_two_administrators_who_demote_each_other_leave_one(register: Callable[..., Person]) -> None:
    people = [User.objects.get(id=int(register(name).id)) for name in ("alice", "bob")]
    browsers = []
    for person in people:
        grant_role(user_id=person.id, role="admin")
        browser = Client()
        browser.force_login(person)
        browsers.append(browser)

    def demote(browser: Client, other: User) -> Ask:
        form = {"action": "unmake_admin", "_selected_action": [other.id]}
        return lambda: browser.post("/admin/identity/user/", form)

    at_once(demote(browsers[0], people[1]), demote(browsers[1], people[0]))
    assert UserRole.objects.filter(role__name="admin").count() == 1


def test_races_for_one_time_codes(register: Callable[..., Person]) -> None:
    """Of many log-ins with one code, or one recovery code, one succeeds."""
    secret, recovery = set_up(register("alice"))
    sent = code(secret, 1)
    assert statuses(at_once(*[lambda: log_in(sent)] * AT_ONCE)) == {200: 1, 401: AT_ONCE - 1}
    assert statuses(at_once(*[lambda: log_in(recovery[0])] * AT_ONCE)) == {200: 1, 401: AT_ONCE - 1}
    assert Authenticator.objects.count() == 2


def test_races_for_follows_blocks_and_mutes(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    """Follows, requests, blocks and mutes remain one row each under concurrent requests."""
    ann, ben, shy = register("ann"), register("ben"), register("shy")
    assert shy.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    for verb, model in (("follow", Follow), ("mute", Mute)):
        sent = [lambda verb=verb: ann.client.put(f"/v1/profiles/{ben.id}/{verb}")] * AT_ONCE
        assert statuses(at_once(*sent)) == {200: AT_ONCE}
        assert model._default_manager.count() == 1
    assert statuses(at_once(*[lambda: ann.client.put(f"/v1/profiles/{shy.id}/follow")] * AT_ONCE)) == {200: AT_ONCE}
    assert FollowRequest.objects.count() == 1
    at_once(
        *[lambda: shy.client.post(f"/v1/follow-requests/{ann.id}/accept")] * 4,
        *[lambda: ann.client.delete(f"/v1/profiles/{shy.id}/follow")] * 4,
    )
    assert FollowRequest.objects.count() == 0
    follows = Follow.objects.filter(follower_id=ann.id, following_id=shy.id).count()
    assert shy.client.get(f"/v1/profiles/{shy.id}").json()["followers_count"] == follows
    at_once(
        *[lambda: ben.client.put(f"/v1/profiles/{ann.id}/block")] * 4,
        *[lambda: ann.client.put(f"/v1/profiles/{ben.id}/follow")] * 4,
    )
    drain()
    assert Block.objects.count() == 1
    assert not Follow.objects.filter(follower_id=ann.id, following_id=ben.id).exists(), "a block ends every follow"


def test_races_for_posts_reactions_and_reports(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    """One key makes one post; reactions, bookmarks, reposts and reports are one row; a deletion happens once."""
    ann, ben = register("ann"), register("ben")
    key = {"Idempotency_Key": "one"}
    answers = at_once(*[lambda: ann.client.post("/v1/posts", {"content": "once"}, **key)] * AT_ONCE)
    assert (len({answer.content for answer in answers}), Post.objects.count()) == (1, 1)
    post_id = answers[0].json()["id"]
    drain()
    said = {"content": "once"}
    at_once(*[lambda: ben.client.post(f"/v1/posts/{post_id}/comments", said, **key)] * AT_ONCE)
    assert Comment.objects.count() == 1
    path = f"/v1/posts/{post_id}"
    for verb, model in (("bookmark", Bookmark), ("repost", Repost)):
        assert statuses(at_once(*[lambda verb=verb: ben.client.put(f"{path}/{verb}")] * AT_ONCE)) == {200: AT_ONCE}
        assert model._default_manager.count() == 1
    kinds = ["like", "love", "haha", "sad", "angry", "like", "love", "haha"]
    at_once(*(lambda kind=kind: ben.client.put(f"{path}/reaction", {"reaction_type": kind}) for kind in kinds))
    assert (Reaction.objects.count(), sum(ben.client.get(path).json()["reactions"].values())) == (1, 1)
    at_once(
        *[lambda: ben.client.put(f"{path}/reaction", {"reaction_type": "like"})] * 4,
        *[lambda: ben.client.delete(f"{path}/reaction")] * 4,
    )
    assert sum(ben.client.get(path).json()["reactions"].values()) == Reaction.objects.count()
    report = {"target_type": "post", "target_id": post_id, "reason": "spam"}
    at_once(*[lambda: ben.client.post("/v1/reports", report)] * AT_ONCE)
    assert Report.objects.count() == 1
    tag = ann.client.get(path).headers["ETag"]
    edits = [lambda n=n: ann.client.patch(path, {"content": f"edit {n}"}, If_Match=tag) for n in range(AT_ONCE)]
    assert statuses(at_once(*edits)) == {200: 1, 412: AT_ONCE - 1}
    assert statuses(at_once(*[lambda: ann.client.delete(path)] * AT_ONCE)) == {204: 1, 404: AT_ONCE - 1}
    drain()
    assert ann.client.get(f"/v1/profiles/{ann.id}").json()["posts_count"] == 0


def test_a_rate_limit_holds_under_concurrent_requests(register: Callable[..., Person], settings: Any) -> None:
    """Of many concurrent requests, no more are admitted than the limit allows."""
    ann = register("ann")
    settings.RATE_LIMITS, settings.RATE_ADDRESS_FACTOR, settings.RATES = True, 1, {"read": (10, 100_000_000)}
    answers = [answer for _ in range(3) for answer in at_once(*[lambda: ann.client.get("/v1/blocks")] * AT_ONCE)]
    assert statuses(answers) == {200: 10, 429: 14}
