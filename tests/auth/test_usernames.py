"""Changing the username, and comparing names with those of older accounts."""

import importlib
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.utils import timezone

from apps.auth import actions
from apps.auth.actions import accounts
from apps.auth.models import ReservedName, User
from socialapp.core.errors import Conflict
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.factories import Registration

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def rename(person: Person, username: Any) -> Any:
    return person.client.patch("/v1/auth/me", {"username": username})


def renamed_events() -> Any:
    return OutboxEvent.objects.using("auth").filter(type="auth.user_renamed.v1").count()


def test_a_new_name_is_shown_everywhere_and_the_old_one_is_reserved_for_its_owner(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = bob.client.post("/v1/posts", {"content": "hello @alice"}).json()
    alice.confirm()
    answer = rename(alice, "Alicia")
    assert (answer.status_code, answer.json()["username"]) == (200, "Alicia")
    drain()
    assert anonymous.get(f"/v1/profiles/{alice.id}").json()["username"] == "Alicia"
    assert anonymous.get("/v1/profiles/by-username/alicia").json()["id"] == alice.id
    assert anonymous.get("/v1/profiles/by-username/alice").status_code == 404
    assert anonymous.get(f"/v1/posts/{post['id']}").json()["mentions"] == [{"id": alice.id, "username": "alice"}]
    body = {"username": "alice", "email": "x@example.org", "password": "correct horse battery"}
    taken = JsonClient().post("/v1/auth/register", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")
    ReservedName.objects.update(until=timezone.now() + timedelta(days=28))
    assert rename(alice, "alice").status_code == 200, "its owner may take it back"


@pytest.mark.parametrize(("wanted", "status"), [("bob", 409), ("b0b", 409), ("admin", 422), ("a b", 422)])
def test_a_rejected_name_changes_nothing(register: Callable[..., Person], wanted: str, status: int) -> None:
    alice = register("alice")
    register("bob")
    alice.confirm()
    answer = rename(alice, wanted)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, "username")
    assert User.objects.get(id=alice.id).username == "alice"
    assert not ReservedName.objects.exists()
    assert renamed_events() == 0


def test_renaming_requires_a_confirmed_session_and_is_limited_to_once_a_day(register: Callable[..., Person]) -> None:
    alice = register("alice")
    assert rename(alice, "alicia").json()["code"] == "confirmation_required"
    alice.confirm()
    assert rename(alice, "alicia").status_code == 200
    assert rename(alice, "Alicia").status_code == 200, "case does not matter"
    again = rename(alice, "alison")
    assert (again.status_code, again.json()["code"]) == (409, "username_changed_lately")
    assert User.objects.get(id=alice.id).username == "Alicia"
    assert renamed_events() == 2


def test_an_operator_can_rename_at_any_time(register: Callable[..., Person]) -> None:
    alice = register("alice")
    for name in ("alicia", "alison"):
        assert actions.rename_account(user_id=int(alice.id), username=name).username == name
    register("bob")
    with pytest.raises(Conflict):
        actions.rename_account(user_id=int(alice.id), username="BOB")


def test_a_name_given_up_while_others_want_it_stays_reserved(
    register: Callable[..., Person], anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner renames between the two looks at whether the name is taken and whether it is reserved."""
    alice, bob = register("alice"), register("bob")
    bob.confirm()
    taken = Registration(username="alice", email="eve@example.org")
    for wanting in (lambda: rename(bob, "alice"), lambda: anonymous.post("/v1/auth/register", taken)):
        looks = iter([lambda: None, lambda: actions.rename_account(user_id=int(alice.id), username="alicia")])
        with monkeypatch.context() as patch:
            for name in ("is_name_reserved", "_refuse_taken_name"):
                look = getattr(accounts, name)

                def late(*args: Any, look: Any = look, looks: Any = looks, **more: Any) -> Any:
                    next(looks, lambda: None)()
                    return look(*args, **more)

                patch.setattr(accounts, name, late)
            assert wanting().json()["code"] == "username_taken"
        actions.rename_account(user_id=int(alice.id), username="alice")
        ReservedName.objects.all().delete()


def test_similar_names_of_older_accounts_are_detected_too(register: Callable[..., Person]) -> None:
    for name in ("alice", "bob", "carol"):
        register(name)
    User.objects.update(username_skeleton="", email_mailbox=None)
    User.objects.filter(username="alice").update(email_key="a.lice@gmail.com")
    User.objects.filter(username="bob").update(email_key="alice+b@googlemail.com")
    migration = importlib.import_module("apps.auth.migrations.0006_fill_names")
    for _ in range(2):
        migration.fill(apps, SimpleNamespace(connection=connections["auth"]))
    found = {row.username: (row.username_skeleton, row.email_mailbox) for row in User.objects.all()}
    assert found == {
        "alice": ("allce", "alice@gmail.com"),
        "bob": ("bob", None),
        "carol": ("carol", "carol@example.org"),
    }
