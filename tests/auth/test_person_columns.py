"""Every column that refers to a user, found in the models, is exported and erased."""

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from apps.auth.actions import grant_role, read_certificate
from apps.auth.actions.archives import write_archive
from apps.auth.models import Erasure, User
from apps.moderation.actions import Decision, sanction_user
from apps.moderation.models import Action, Case, CaseNote
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import Gone
from socialapp.lifecycle.erasure_audit import audit_erasure
from socialapp.messaging.models import OutboxEvent
from tests.auth.seeding import person_columns, seed
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
_WRITE = re.compile(r'\s*(INSERT|UPDATE|DELETE)\b(?: OR IGNORE| IGNORE)?(?: INTO| FROM)?\s+["`]?(\w+)', re.IGNORECASE)
# Columns that exports leave out → why.
NOT_EXPORTED = {
    ("users", "blocks.blocked_id"): "who blocks somebody is hidden from them",
    ("users", "mutes.muted_id"): "who mutes somebody is hidden from them",
    ("auth", "django_admin_log.user_id"): "what staff did to others",
    ("moderation", "cases.assigned_to_id"): "what staff did to others",
    ("moderation", "actions.moderator_id"): "what staff did to others",
    ("moderation", "case_notes.moderator_id"): "what staff did to others",
    ("moderation", "proposals.proposed_by_id"): "what staff did to others",
    ("moderation", "proposals.decided_by_id"): "what staff did to others",
    ("moderation", "bulk_decisions.moderator_id"): "what staff did to others",
    ("notifications", "notifications.actor_id"): "somebody else's notification",
    ("notifications", "notification_actors.actor_id"): "somebody else's notification",
    ("reactions", "reactions.target_author_id"): "somebody else's reaction",
    ("search", "search_tombstones.doc_id"): "the mark of a deletion",
}


def seeded(register: Callable[..., Person], drain: Callable[[], int]) -> tuple[Person, Person]:
    alice, bob = register("alice"), register("bob")
    post = alice.client.post("/v1/posts", {"content": "mine"}).json()["id"]
    comment = alice.client.post(f"/v1/posts/{post}/comments", {"content": "mine too"}).json()["id"]
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    drain()
    others = {"auth.User": int(bob.id), "posts.Post": int(post), "comments.Comment": int(comment)}
    for column in person_columns():
        seed(column, user_id=int(alice.id), others=others)
    return alice, bob


def test_every_row_about_a_person_is_exported_or_exempt(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, _ = seeded(register, drain)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        write_archive(archive, user_id=int(alice.id))
    with zipfile.ZipFile(file) as archive:
        lines = {name: archive.read(name).splitlines() for name in archive.namelist() if name.endswith(".jsonl")}
    missing = []
    for column in person_columns():
        rows = [json.loads(line) for line in lines.get(f"{column.context}/{column.table}.jsonl", [])]
        exported = sum(str(row.get(column.name)) == alice.id for row in rows)
        place = (column.context, f"{column.table}.{column.name}")
        if exported != column.rows(int(alice.id)) and place not in NOT_EXPORTED:
            missing.append((place, exported, column.rows(int(alice.id))))
    assert not missing, repr(missing)


def test_an_export_contains_nothing_that_is_for_moderators_only(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    """Neither the moderators, their notes and the words they look for, nor how many have reported somebody and how
    reliable those are; the rows themselves are exported."""
    alice, judge = register("alice"), register("judge")
    drain()
    grant_role(user_id=int(judge.id), role="moderator")
    case = Case.objects.create(target_type="user", target_id=int(alice.id), author_id=int(alice.id))
    Case.objects.update(assigned_to_id=int(judge.id))
    CaseNote.objects.create(case=case, moderator_id=int(judge.id), text="Noted.")
    decision = Decision(reason="Spam.", note="Noted.")
    sanction_user(Action.Kind.WARN_USER, moderator_id=int(judge.id), user_id=int(alice.id), decision=decision)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        write_archive(archive, user_id=int(alice.id))
    with zipfile.ZipFile(file) as archive:
        tables = {
            name: archive.read(f"moderation/{name}.jsonl").decode() for name in ("cases", "case_notes", "actions")
        }
    assert [len(rows.splitlines()) for rows in tables.values()] == [1, 1, 1]
    assert "Spam." in tables["actions"]
    assert not re.search(f"{judge.id}|Noted|reports_count|score|flagged_words", str(tables))


class Killed(BaseException):
    """Simulates the end of the process: no error handler may catch it."""


class Kills:
    """Simulates a crash before the first write of each kind (context, verb, table)."""

    def __init__(self) -> None:
        self.steps: set[tuple[str, str, str]] = set()

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Runs a statement, or raises Killed instead."""
        if written := _WRITE.match(sql):
            step = (context["connection"].alias, *written.groups())
            if step not in self.steps:
                self.steps.add(step)
                raise Killed(step)
        return execute(sql, params, many, context)

    def end(self, act: Callable[[], object]) -> bool:
        """Whether the call was killed."""
        with contextlib.ExitStack() as stack:
            for name in CONTEXTS:
                stack.enter_context(connections[name].execute_wrapper(self))
            try:
                act()
            except Killed:
                return True
        return False


def test_an_erasure_killed_at_every_step_still_removes_everything(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = seeded(register, drain)
    Erasure.objects.all().delete()
    kills = Kills()

    def erase() -> None:
        if User.objects.get(id=int(alice.id)).status != User.Status.DELETED:
            alice.client.delete("/v1/auth/me", {"password": PASSWORD})
        drain()

    while kills.end(erase):
        for name in CONTEXTS:  # as the reconciler does with unconfirmed events
            OutboxEvent.objects.using(name).filter(state=OutboxEvent.State.SENT).update(state=OutboxEvent.State.NEW)
    assert {context for context, _, _ in kills.steps} == set(CONTEXTS)
    assert {verb for _, verb, _ in kills.steps} == {"INSERT", "UPDATE", "DELETE"}
    unexpected = [found for found in audit_erasure(int(alice.id)) if not found.expected]
    assert not unexpected, repr(unexpected)
    (erasure,) = Erasure.objects.all()
    assert set(erasure.acks.values_list("context", flat=True)) == set(CONTEXTS)
    assert read_certificate(str(erasure.certificate))["erasure_id"] == str(erasure.id)
    assert bob.client.get("/v1/auth/me").status_code == 200


def test_a_deleted_account_leaves_no_rows_in_any_context(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = seeded(register, drain)
    Erasure.objects.all().delete()  # of a user who has cancelled the deletion
    assert alice.client.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    drain()
    left = [
        (column.context, column.table, column.name)
        for column in person_columns()
        if column.rows(int(alice.id))
        and getattr(column.model._meta.get_field(column.name), "gone", None) is not Gone.KEEP
    ]
    assert not [place for place in left if place[1] != "erasures"], left
    unexpected = [found for found in audit_erasure(int(alice.id)) if not found.expected]
    assert not unexpected, repr(unexpected)
    assert bob.client.get("/v1/auth/me").status_code == 200
