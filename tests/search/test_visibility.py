"""Hidden content is neither found nor counted, even before the index is updated."""

from datetime import UTC, datetime
from typing import Any

import pytest

from socialapp.contracts.moderation import UserSanctioned
from socialapp.core import fragments
from socialapp.core.db import atomic
from socialapp.core.ids import new_id
from socialapp.messaging.publish import publish
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.search.conftest import Searching

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def sanction(person: Person, kind: Any) -> None:
    with atomic("moderation"):
        publish(
            UserSanctioned(user_id=int(person.id), action_id=new_id(), kind=kind, reason="spam", at=datetime.now(UTC))
        )


def test_private_posts_are_found_by_accepted_followers_and_the_author_only(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice, bob, carol = people.values()
    searching.post(alice, "secret plan #hush", is_private=True)
    searching.settle()
    assert searching.contents(bob.client, "secret") == []
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    assert searching.contents(alice.client, "secret") == ["secret plan #hush"]
    assert searching.contents(bob.client, "secret") == ["secret plan #hush"]
    for client in (carol.client, anonymous):
        assert searching.contents(client, "secret") == []
        assert searching.contents(client, "from:alice") == []
        assert searching.contents(client, "#hush") == []
        assert searching.tags(client, "hush") == []
        assert searching.page(client, "secret")["results"] == []
    bob.client.delete(f"/v1/profiles/{alice.id}/follow")
    assert searching.contents(bob.client, "secret") == [], "immediately, before any event is delivered"


def test_stale_fragments_in_redis_reveal_nothing(
    searching: Searching, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, _ = people.values()
    searching.post(alice, "secret plan", is_private=True)
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    searching.settle()
    assert searching.contents(bob.client, "secret") == ["secret plan"]
    assert searching.names(bob.client, "alice") == ["alice"]
    monkeypatch.setattr(fragments, "send_after_commit", lambda *commands, **options: None)
    bob.client.delete(f"/v1/profiles/{alice.id}/follow")
    assert searching.contents(bob.client, "secret") == []
    alice.client.put(f"/v1/profiles/{bob.id}/block")
    assert searching.names(bob.client, "alice") == []


def test_a_hashtag_of_hidden_posts_only_is_hidden_before_the_index_is_updated(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice, bob, _ = people.values()
    hidden = searching.post(alice, "a plan #plannedparty")
    deleted = searching.post(bob, "no plan #plannedtrip")
    searching.post(bob, "#plannedtea")
    searching.settle()

    def shown(client: JsonClient) -> list[str]:
        found = client.get("/v1/search/suggest?q=planned").json()["results"]
        names = [result["item"]["name"] for result in found]
        assert names == [name for name, _ in searching.tags(client, "planned")]
        return names

    assert shown(anonymous) == ["plannedparty", "plannedtea", "plannedtrip"]
    assert alice.client.patch(f"/v1/posts/{hidden}", {"is_private": True}).status_code == 200
    assert bob.client.delete(f"/v1/posts/{deleted}").status_code == 204
    assert shown(anonymous) == ["plannedtea"]
    assert shown(alice.client) == ["plannedparty", "plannedtea"]


def test_posts_of_an_account_made_private_are_hidden(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice, bob, carol = people.values()
    searching.post(alice, "open words #open")
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    searching.settle()
    assert searching.contents(carol.client, "open") == ["open words #open"]
    assert alice.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    assert searching.contents(carol.client, "open") == [], "immediately, before any event is delivered"
    searching.settle()
    assert searching.contents(carol.client, "open") == []
    assert searching.tags(anonymous, "open") == []
    assert searching.contents(bob.client, "open") == ["open words #open"]
    assert searching.names(anonymous, "alice") == ["alice"], "the profile itself can still be found"
    assert alice.client.patch("/v1/profiles/me", {"is_private": False}).status_code == 200
    searching.settle()
    assert searching.contents(anonymous, "open") == ["open words #open"]
    assert searching.tags(anonymous, "open") == [("open", 1)]


def test_a_block_hides_both_from_each_other_at_once(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice, bob, carol = people.values()
    searching.post(alice, "words of alice")
    searching.post(bob, "words of bob")
    searching.settle()
    assert alice.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    for _ in range(2):
        assert searching.contents(alice.client, "words") == ["words of alice"]
        assert searching.contents(bob.client, "words") == ["words of bob"]
        assert searching.contents(bob.client, "from:alice") == []
        assert searching.names(bob.client, "alice") == []
        assert searching.names(alice.client, "bob") == []
        assert searching.contents(carol.client, "words") == ["words of bob", "words of alice"]
        searching.settle()


def test_a_banned_account_and_its_posts_are_hidden_until_the_ban_is_lifted(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    searching.post(alice, "spam spam #spam")
    searching.settle()
    sanction(alice, "ban")
    searching.settle()
    assert searching.contents(anonymous, "spam") == []
    assert searching.names(anonymous, "alice") == []
    assert searching.tags(anonymous, "spam") == []
    sanction(alice, "unban")
    searching.settle()
    assert searching.contents(anonymous, "spam") == ["spam spam #spam"]
    assert searching.names(anonymous, "alice") == ["alice"]
    assert searching.tags(anonymous, "spam") == [("spam", 1)]


def test_deleted_posts_are_not_found_and_edited_posts_are_found_by_their_new_text(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    post_id = searching.post(alice, "first text #one")
    searching.settle()
    assert alice.client.patch(f"/v1/posts/{post_id}", {"content": "second text #two"}).status_code == 200
    marked = searching.page(anonymous, "first", type="posts")["results"]
    assert all("first" not in (result["highlight"] or "") for result in marked), "the old text is not shown"
    searching.settle()
    assert searching.contents(anonymous, "first") == []
    assert searching.contents(anonymous, "second") == ["second text #two"]
    assert searching.tags(anonymous, "one") == []
    assert alice.client.delete(f"/v1/posts/{post_id}").status_code == 204
    assert searching.contents(anonymous, "second") == [], "immediately, before any event is delivered"
    searching.settle()
    assert searching.contents(anonymous, "second") == []
    assert searching.tags(anonymous, "two") == []


def test_a_post_made_private_is_no_longer_found_by_strangers(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice = people["alice"]
    post_id = searching.post(alice, "oversharing")
    searching.settle()
    assert alice.client.patch(f"/v1/posts/{post_id}", {"is_private": True}).status_code == 200
    assert searching.contents(anonymous, "oversharing") == []
    searching.settle()
    assert searching.contents(anonymous, "oversharing") == []
    assert searching.contents(alice.client, "oversharing") == ["oversharing"]


def test_a_page_is_filled_when_some_hits_have_become_hidden(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice, bob, _ = people.values()
    kept = [searching.post(bob, f"mixed {number}") for number in range(3)]
    gone = [searching.post(alice, f"mixed gone {number}") for number in range(4)]
    kept += [searching.post(bob, "mixed last")]
    searching.settle()
    for post_id in gone:
        assert alice.client.delete(f"/v1/posts/{post_id}").status_code == 204
    page = searching.page(anonymous, "mixed", type="posts", limit=3)
    assert [result["item"]["id"] for result in page["results"]] == [kept[3], kept[2], kept[1]]
    rest = anonymous.get(page["next"]).json()
    assert [result["item"]["id"] for result in rest["results"]] == [kept[0]]
    assert rest["next"] is None
