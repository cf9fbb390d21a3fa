"""The operators' commands for accounts."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from apps.auth import actions
from apps.auth.models import Erasure, Invite, Session, SigningKey, User
from apps.moderation.models import Action
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def run(*arguments: Any) -> Any:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_accounts_can_be_found_by_id_name_and_address(register: Callable[..., Person]) -> None:
    alice, alicia, bob = register("alice"), register("alicia2"), register("bob")
    assert [row["id"] for row in run("users", "find", "ALI")] == [alicia.id, alice.id]
    assert [row["id"] for row in run("users", "find", "bob@example")] == [bob.id]
    for who in (alice.id, "Alice", "alice@example.org"):
        (shown,) = run("users", "show", who)
        assert (shown["id"], shown["roles"], shown["sessions"]) == (alice.id, ["user"], 1)
    for who in ("nobody", "99", "9" * 30):
        with pytest.raises(CommandError):
            run("users", "show", who)


@pytest.mark.parametrize("is_dry", [True, False])
def test_accounts_are_changed_except_in_a_dry_run(register: Callable[..., Person], is_dry: bool) -> None:
    alice = register("alice")
    actions.send_due_mails()
    mail.outbox.clear()
    dry = ["--dry-run"] if is_dry else []
    for arguments in (["verify", "alice"], ["reset", "alice"], ["sessions", "alice", "--end"]):
        assert run("users", *arguments, *dry)["done"] is not is_dry
    assert run("users", "rename", "alice", "alicia", *dry)["id"] == alice.id
    actions.send_due_mails()
    user = User.objects.get(id=alice.id)
    live = Session.objects.filter(user=user, ended_at=None).count()
    found = (user.username, user.email_verified, live, len(mail.outbox))
    assert found == (("alice", False, 1, 0) if is_dry else ("alicia", True, 0, 1))


def test_a_rejected_change_is_an_error_and_changes_nothing(register: Callable[..., Person]) -> None:
    for name in ("alice", "bob"):
        register(name)
    for arguments in (["rename", "alice", "bob"], ["rename", "alice"], ["verify", "alice", "bob"]):
        with pytest.raises(CommandError):
            run("users", *arguments)
    assert sorted(User.objects.values_list("username", flat=True)) == ["alice", "bob"]


def test_an_operator_bans_and_unbans_through_moderation(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice = register("alice")
    assert run("users", "ban", "alice", "--reason", "spam", "--dry-run")["done"] is False
    with pytest.raises(CommandError):
        run("users", "ban", "alice")
    assert Action.objects.count() == 0
    assert run("users", "ban", "alice", "--reason", "spam")["done"] is True
    drain()
    assert User.objects.get(id=alice.id).status == "banned"
    assert run("users", "unban", "alice", "--reason", "a mistake")["done"] is True
    drain()
    assert User.objects.get(id=alice.id).status == "active"
    logged = Action.objects.order_by("id").values_list("kind", "moderator_id", "reason")
    assert list(logged) == [("ban_user", None, "spam"), ("unban_user", None, "a mistake")]


def test_a_dry_run_creates_no_invite_and_no_key() -> None:
    assert run("invites", "create", "--uses", "5", "--dry-run") == {
        "done": False,
        "what": "make an invite for 5 registrations",
    }
    for arguments in (["create", "--uses", "0", "--dry-run"], ["revoke", "7", "--dry-run"]):
        with pytest.raises(CommandError):
            run("invites", *arguments)
    assert run("keys", "rotate", "--dry-run")["done"] is False
    assert (Invite.objects.count(), SigningKey.objects.count()) == (0, 0)


def test_roles_are_listed_granted_and_revoked(register: Callable[..., Person]) -> None:
    alice = register("alice")
    row = {"id": alice.id, "username": "alice", "roles": ["moderator", "user"]}
    assert run("roles", "grant", "moderator", "alice", "--dry-run") == [row]
    assert run("roles", "list") == []
    assert run("roles", "grant", "moderator", "alice") == run("roles", "list") == [row]
    assert run("roles", "revoke", "moderator", "alice") == [{**row, "roles": ["user"]}]
    assert run("roles", "list") == []
    for arguments in (["grant"], ["grant", "admin"], ["grant", "admin", "nobody"]):
        with pytest.raises(CommandError):
            run("roles", *arguments)


def test_a_certificate_is_verified_against_key_record_and_stores(
    register: Callable[..., Person], drain: Callable[[], int], tmp_path: Path
) -> None:
    alice = register("alice")
    answer = alice.client.delete("/v1/auth/me", {"password": "correct horse battery"})
    drain()
    erasure = Erasure.objects.get(id=answer.json()["erasure_id"])
    assert erasure.certificate
    file = tmp_path / "certificate.jws"
    file.write_text(f"{erasure.certificate}\n")
    assert run("erasure", "verify", str(file))["user_id"] == alice.id
    head, body, signature = erasure.certificate.split(".")
    file.write_text(f"{head}.{body[:-4]}AAAA.{signature}")
    with pytest.raises(CommandError, match="not signed here"):
        run("erasure", "verify", str(file))
    file.write_text(erasure.certificate)
    erasure.acks.filter(context="posts").delete()
    with pytest.raises(CommandError, match="does not match"):
        run("erasure", "verify", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        run("erasure", "verify", str(tmp_path / "none"))
