"""Keeping the index up to date: late, duplicate and out-of-order events, erasures, rebuilds and outages."""

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.utils import timezone

from apps.search import actions, handlers
from apps.search.models import IndexedHashtag, IndexedPost, IndexedProfile, Tombstone
from apps.search.models.documents import elasticsearch
from apps.search.queries import reader
from apps.search.queries.elastic import read_alias
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, Posts
from socialapp.contracts.users import Users
from socialapp.core.db import atomic
from socialapp.core.ids import new_id
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person, deliver_outbox
from tests.search.conftest import BACKENDS, Searching, remove_indices

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def command(*arguments: Any) -> Any:
    """The output of `manage.py search …` and its exit status."""
    out = io.StringIO()
    try:
        call_command("search", *arguments, "--json", stdout=out)
    except SystemExit as left:
        return json.loads(out.getvalue()), left.code
    return json.loads(out.getvalue()), 0


def created(document: Any) -> Any:
    return PostCreated(
        post_id=document.id,
        author_id=document.author_id,
        is_private=document.is_private,
        hashtags=document.hashtags,
        mention_ids=[],
        created_at=document.created_at,
        version=document.version,
    )


def deleted(document: Any, version: Any) -> Any:
    return PostDeleted(post_id=document.id, author_id=document.author_id, was_private=False, version=version)


def test_late_duplicate_and_reordered_events_lead_to_the_same_state(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    post_id = int(searching.post(alice, "old words"))
    old = client(Posts).documents(post_ids=[post_id])
    alice.client.patch(f"/v1/posts/{post_id}", {"content": "new words"})
    new = client(Posts).documents(post_ids=[post_id])
    edited = PostEdited(
        post_id=post_id,
        author_id=int(alice.id),
        is_private=False,
        was_private=False,
        hashtags=[],
        new_mention_ids=[],
        version=new[0].version,
    )
    with atomic("search"):
        for _ in range(2):
            handlers.index_post([edited], new)
            handlers.index_post([created(old[0])], old)
    searching.settle()
    assert searching.contents(anonymous, "new") == ["new words"]
    assert searching.contents(anonymous, "old") == []
    with atomic("search"):
        for _ in range(2):
            handlers.remove_post(deleted(old[0], version=1))
            handlers.index_post([created(old[0])], old)
            handlers.index_post([edited], new)
    searching.settle()
    assert reader().versions("post", after=0, up_to=post_id) == {}, "a deleted post is not recreated"


def test_a_deletion_may_arrive_before_the_creation(searching: Searching, people: dict[str, Person]) -> None:
    post_id = int(searching.post(people["alice"], "short-lived"))
    document = client(Posts).documents(post_ids=[post_id])[0]
    with atomic("search"):
        handlers.remove_post(deleted(document, version=document.version))
        handlers.index_post(created(document), [document])
    assert reader().versions("post", after=0, up_to=post_id) == {}


def test_posts_that_arrive_before_their_authors_profile_are_not_counted_yet(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    post_id, author_id = int(searching.post(people["alice"], "too early #early")), new_id()
    document = replace(client(Posts).documents(post_ids=[post_id])[0], author_id=author_id)
    profile = client(Users).documents(ids=[int(people["alice"].id)])[0]
    with atomic("search"):
        handlers.index_post([created(document)], [document])
    searching.forget_old_versions()
    assert set(reader().versions("post", after=0, up_to=post_id)) == {post_id}
    assert searching.tags(anonymous, "early") == []
    actions.index_profiles(documents=[replace(profile, card=replace(profile.card, id=author_id, username="dave"))])
    searching.forget_old_versions()
    assert searching.tags(anonymous, "early") == [("early", 1)]


def test_an_old_profile_does_not_replace_a_newer_one(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    old = client(Users).documents(ids=[int(alice.id)])
    alice.client.patch("/v1/profiles/me", {"full_name": "Renamed Person"})
    searching.settle()
    actions.index_profiles(documents=old)
    searching.settle()
    assert searching.names(anonymous, "renamed") == ["alice"]


def test_an_erasure_removes_everything_and_late_events_recreate_nothing(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    user_id = int(alice.id)
    post_id = int(searching.post(alice, "to be forgotten #forgotten"))
    searching.settle()
    posts, profiles = client(Posts).documents(post_ids=[post_id]), client(Users).documents(ids=[user_id])
    gone = UserDeleted(user_id=user_id, erasure_id=7)
    with atomic("search"):
        for _ in range(2):
            handlers.erase_user(gone)
    erased = OutboxEvent.objects.using("search").filter(type="search.user_erased.v1", subject=str(user_id))
    assert erased.count() == 2, "it is acknowledged again, in case auth missed the first one"
    actions.index_posts(documents=posts)
    actions.index_profiles(documents=profiles)
    searching.settle()
    assert searching.contents(anonymous, "forgotten") == []
    assert searching.names(anonymous, "alice") == []
    assert searching.tags(anonymous, "forgotten") == []
    assert reader().versions("post", after=post_id - 1, up_to=post_id) == {}
    assert reader().versions("user", after=user_id - 1, up_to=user_id) == {}
    if searching.backend == "sqlite":
        with connections["search"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM search_posts_text WHERE rowid = %s", [post_id])
            assert cursor.fetchone() == (0,)
            cursor.execute("SELECT count(*) FROM search_profiles_text WHERE rowid = %s", [user_id])
            assert cursor.fetchone() == (0,)
        assert not IndexedPost.objects.filter(author_id=user_id).exists()
        assert not IndexedHashtag.objects.exists()
    else:
        query = {"bool": {"should": [{"term": {"author_id": user_id}}, {"term": {"id": user_id}}]}}
        assert elasticsearch().count(index=f"{read_alias()}*", query=query)["count"] == 0


def test_an_account_deleted_through_the_api_is_erased_and_acknowledged(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    searching.post(alice, "goodbye")
    searching.settle()
    assert alice.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    assert searching.contents(anonymous, "goodbye") == [], "immediately, before any event is delivered"
    searching.settle()
    assert searching.contents(anonymous, "goodbye") == []
    erased = OutboxEvent.objects.using("search").filter(type="search.user_erased.v1", subject=alice.id)
    assert erased.count() == 1
    assert not FailedDelivery.objects.using("search").exists()


def test_verify_reports_every_difference(searching: Searching, people: dict[str, Person]) -> None:
    alice = people["alice"]
    ids = [int(searching.post(alice, f"checked {number}")) for number in range(3)]
    searching.settle()
    found, status = command("verify")
    assert (found["equal"], status) == (True, 0)
    assert [kind["compared"] for kind in found["kinds"]] == [3, 3]
    alice.client.patch(f"/v1/posts/{ids[0]}", {"content": "changed"})
    alice.client.delete(f"/v1/posts/{ids[1]}")
    late = int(searching.post(alice, "late"))
    found, status = command("verify")
    posts = found["kinds"][1]
    assert (found["equal"], status) == (False, 1)
    assert (posts["missing"], posts["outdated"], posts["left_over"]) == ([late], [ids[0]], [ids[1]])
    searching.settle()
    assert command("verify")[1] == 0


def test_reindex_builds_a_missing_index(searching: Searching, people: dict[str, Person], anonymous: JsonClient) -> None:
    alice = people["alice"]
    searching.post(alice, "from the ashes #ash")
    searching.settle()
    if searching.backend == "sqlite":
        for model in (IndexedHashtag, IndexedPost, IndexedProfile, Tombstone):
            model.objects.all().delete()
        with connections["search"].cursor() as cursor:
            cursor.execute("DELETE FROM search_posts_text")
            cursor.execute("DELETE FROM search_profiles_text")
    else:
        remove_indices()
    assert searching.page(anonymous, "ashes")["results"] == [], "a missing index is not an error"
    assert command("verify")[1] == 1
    found, status = command("reindex")
    assert (found, status) == ({"indexed": {"user": 3, "post": 1}}, 0)
    assert command("verify")[1] == 0
    assert searching.contents(anonymous, "ashes") == ["from the ashes #ash"]
    state, _ = command("status")
    assert (state["backend"], state["posts"], state["users"]) == (searching.backend, 1, 3)


def test_reindex_removes_stale_documents_and_keeps_tombstones(searching: Searching, people: dict[str, Person]) -> None:
    alice = people["alice"]
    gone, deleted = (int(searching.post(alice, f"number {number}")) for number in range(2))
    searching.settle()
    documents = client(Posts).documents(post_ids=[gone, deleted])
    alice.client.delete(f"/v1/posts/{deleted}")
    deliver_outbox()
    alice.client.delete(f"/v1/posts/{gone}")
    OutboxEvent.objects.using("posts").filter(state=OutboxEvent.State.NEW).delete()
    assert command("verify")[1] == 1
    assert command("reindex")[1] == 0
    assert command("verify")[1] == 0
    actions.index_posts(documents=[one for one in documents if one.id == deleted])
    assert command("verify")[1] == 0, "the tombstone is kept"


def test_writes_during_a_rebuild_are_in_the_new_index(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    edited, removed = (int(searching.post(alice, f"before {number}")) for number in range(2))
    searching.settle()
    written: list[Any] = []

    def write_meanwhile(count: Any) -> None:
        if not written:
            written.append(int(searching.post(alice, "written meanwhile")))
            alice.client.patch(f"/v1/posts/{edited}", {"content": "edited meanwhile"})
            alice.client.delete(f"/v1/posts/{removed}")
            searching.settle()
            assert searching.contents(anonymous, "meanwhile") == ["written meanwhile", "edited meanwhile"]

    actions.rebuild_index(advance=write_meanwhile)
    searching.settle()
    assert written
    assert searching.contents(anonymous, "meanwhile") == ["written meanwhile", "edited meanwhile"]
    assert searching.contents(anonymous, "before") == []
    assert command("verify")[1] == 0
    if searching.backend == "elasticsearch":
        indices = command("status")[0]["indices"]
        assert len(indices) == 1, "the old index is deleted"


def test_tombstones_are_deleted_once_no_late_event_is_possible(searching: Searching, people: dict[str, Person]) -> None:
    post_id = searching.post(people["alice"], "bye")
    people["alice"].client.delete(f"/v1/posts/{post_id}")
    searching.settle()
    assert actions.forget_tombstones(older_than=timedelta(days=30)) == 0
    if searching.backend == "sqlite":
        Tombstone.objects.update(deleted_at=timezone.now() - timedelta(days=31))
        assert actions.forget_tombstones(older_than=timedelta(days=30)) == 1
    else:
        time.sleep(0.01)
        assert actions.forget_tombstones(older_than=timedelta(0)) == 1
    assert command("status")[0]["tombstones"] == 0 or searching.backend == "elasticsearch"


@pytest.fixture(params=["nobody listens", "nobody answers"])
def unreachable(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The URL of an Elasticsearch that is down, or accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        if request.param == "nobody answers":
            yield url
            return
    yield url


@pytest.mark.parametrize("searching", BACKENDS[1:], indirect=True)
def test_without_elasticsearch_only_search_is_unavailable_and_the_index_catches_up(
    searching: Any, people: dict[str, Person], anonymous: JsonClient, settings: Any, unreachable: Any
) -> None:
    working, settings.ELASTICSEARCH_URL = settings.ELASTICSEARCH_URL, unreachable
    settings.ELASTICSEARCH_SECONDS = 4
    started = time.monotonic()
    for path in ("/v1/search?q=a", "/v1/search?q=a&type=hashtags", "/v1/search/suggest?q=a"):
        answer = anonymous.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "search_unavailable")
    assert time.monotonic() - started < 3 * settings.ELASTICSEARCH_SECONDS, (
        "the circuit breaker opens if it never responds"
    )
    with pytest.raises(CommandError):
        call_command("search", "status")
    post_id = searching.post(people["alice"], "written in the dark")
    deliver_outbox()
    assert anonymous.get(f"/v1/posts/{post_id}").status_code == 200
    assert list(FailedDelivery.objects.using("search").values_list("handler", "type")) == [
        ("search.index_post", "posts.post_created.v1")
    ]
    settings.ELASTICSEARCH_URL = working
    retry_failed()
    searching.settle()
    assert searching.contents(anonymous, "dark") == ["written in the dark"]
    assert not FailedDelivery.objects.using("search").exists()


def retry_failed() -> None:
    """Retries failed deliveries, as the relay does after their pause."""
    from socialapp.messaging.delivery import deliver
    from socialapp.messaging.envelope import decode

    rows = list(FailedDelivery.objects.using("search").all())
    deliver("search", envelopes=[decode(row.envelope) for row in rows], look_first=True)


@pytest.mark.parametrize("searching", BACKENDS[1:], indirect=True)
def test_concurrent_writers_build_one_index(searching: Any) -> None:
    from apps.search.actions.elastic import write_targets

    found = []
    threads = [threading.Thread(target=lambda: found.append(tuple(write_targets()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_database_without_full_text_search_needs_elasticsearch(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.search.apps import check_backend

    monkeypatch.setitem(settings.DATABASES["search"], "ENGINE", "django.db.backends.mysql")
    settings.ELASTICSEARCH_URL = ""
    assert [message.id for message in check_backend(None)] == ["search.E001"]
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9200"
    assert check_backend(None) == []


@pytest.mark.parametrize("searching", BACKENDS[1:], indirect=True)
def test_an_index_of_an_earlier_release_gets_the_fields_it_lacks(
    searching: Any, people: dict[str, Person], anonymous: JsonClient
) -> None:
    from apps.search.actions import elastic

    searching.post(people["alice"], "first")
    searching.settle()
    client = elasticsearch().options(request_timeout=30)
    (name,) = client.indices.get_alias(name=read_alias())
    properties = client.indices.get_mapping(index=name)[name]["mappings"]["properties"]
    newer = {"has_link", "has_cw", "language", "reactions", "engagement", "whole_names", "variants", "stems"}
    earlier = {field: mapping for field, mapping in properties.items() if field not in newer}
    remove_indices()
    elastic.make_index(name, aliases=[])
    settings_of_index = client.indices.get_settings(index=name)[name]["settings"]["index"]["analysis"]
    client.indices.delete(index=name)
    client.indices.create(
        index=name,
        settings={"analysis": settings_of_index},
        mappings={"dynamic": "strict", "properties": earlier},
        aliases={alias: {} for alias in (read_alias(), elastic.write_alias(), elastic.own_alias(name))},  # type: ignore[attr-defined]
    )
    elastic._mapped.clear()
    people["alice"].client.patch("/v1/profiles/me", {"bio": "kites"})
    searching.post(people["alice"], "flying kites")
    searching.settle()
    assert searching.contents(anonymous, "kite") == ["flying kites"]
