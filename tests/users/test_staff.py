"""What staff sees in the API, and the admin pages."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.test import Client

from apps.auth.actions import grant_role
from apps.users import actions
from apps.users.models import FollowCount
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.users.events import published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
Register = Callable[..., Person]


def as_staff(person: Person, role: str = "moderator") -> JsonClient:
    """The person with a role, signed in again."""
    grant_role(user_id=int(person.id), role=role)
    body = {"login": person.username, "password": "correct horse battery"}
    return JsonClient(JsonClient().post("/v1/auth/login", body).json()["access"])


def test_staff_sees_who_blocks_and_who_is_hidden(register: Register) -> None:
    staff, alice, gone = as_staff(register("staffer")), register("alice"), register("gone")
    staff_id = int(staff.get("/v1/profiles/me").json()["id"])
    actions.block(blocker_id=int(alice.id), blocked_id=staff_id)
    actions.hide_profile(user_id=int(gone.id))
    shown = staff.get(f"/v1/profiles/{alice.id}").json()
    assert (shown["relationship"]["blocked_by"], "is_discoverable" in shown) == (True, False)
    assert staff.get(f"/v1/profiles/{gone.id}").json()["status"] == "deleted"
    assert staff.get(f"/v1/profiles/{alice.id}/relationship").json()["blocked_by"] is True
    mark = len(published_types())
    for who in (alice, gone):
        assert staff.put(f"/v1/profiles/{who.id}/follow").status_code == 404, "seeing more is not doing more"
    assert published_types()[mark:] == []


def test_staff_sees_the_lists_of_private_accounts(register: Register) -> None:
    staff, alice = as_staff(register("staffer")), register("alice")
    alice.client.patch("/v1/profiles/me", {"is_private": True})
    assert staff.get(f"/v1/profiles/{alice.id}/followers").status_code == 200


def test_the_admin_shows_every_table_and_changes_none(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    alice.client.put(f"/v1/profiles/{bob.id}/mute")
    hand = Client()
    grant_role(user_id=int(alice.id), role="admin")
    hand.force_login(get_user_model().objects.get(id=alice.id))
    # Django's admin cannot show a table whose key is made of two columns; the parts add up to what profiles show.
    shown = [model for model in apps.get_app_config("users").get_models() if model is not FollowCount]
    for model in shown:
        page = f"/admin/users/{model._meta.model_name}/"
        assert hand.get(page + f"?q={alice.id}").status_code == 200, page
        assert hand.get(page + "add/").status_code == 403, page
    assert b"bob" in hand.get("/admin/users/profile/?q=bob").content
    assert b"bob" not in hand.get("/admin/users/profile/?q=ali").content
    assert hand.get(f"/admin/users/profile/{alice.id}/change/").status_code == 200
    assert hand.post(f"/admin/users/profile/{alice.id}/change/", {"bio": "x"}).status_code == 403
    assert alice.client.get("/v1/profiles/me").json()["bio"] == ""
