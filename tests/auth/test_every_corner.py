"""A person in every corner of every table, generated from the models: all of it is exported, and all of it erased."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest

from apps.auth.actions.archives import write_archive
from apps.auth.models import Erasure
from socialapp.core.db import Gone
from socialapp.lifecycle.erasure_audit import audit_erasure
from tests.auth.seeding import corners, seed
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
# Rows that name a person and are not theirs to have: why.
NOT_EXPORTED = {
    ("users", "blocks.blocked_id"): "who blocks somebody is not told to them",
    ("users", "mutes.muted_id"): "who mutes somebody is not told to them",
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
    for corner in corners():
        seed(corner, user_id=int(alice.id), others=others)
    return alice, bob


def test_what_names_a_person_is_exported_or_has_a_reason_not_to_be(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, _ = seeded(register, drain)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        write_archive(archive, user_id=int(alice.id))
    with zipfile.ZipFile(file) as archive:
        lines = {name: archive.read(name).splitlines() for name in archive.namelist() if name.endswith(".jsonl")}
    missing = []
    for corner in corners():
        rows = [json.loads(line) for line in lines.get(f"{corner.context}/{corner.table}.jsonl", [])]
        exported = sum(str(row.get(corner.column)) == alice.id for row in rows)
        place = (corner.context, f"{corner.table}.{corner.column}")
        if exported != corner.rows(int(alice.id)) and place not in NOT_EXPORTED:
            missing.append((place, exported, corner.rows(int(alice.id))))
    assert not missing, repr(missing)


def test_nothing_is_left_anywhere_once_the_account_is_deleted(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = seeded(register, drain)
    Erasure.objects.all().delete()  # that of somebody who has taken it back
    assert alice.client.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    drain()
    left = [
        (corner.context, corner.table, corner.column)
        for corner in corners()
        if corner.rows(int(alice.id))
        and getattr(corner.model._meta.get_field(corner.column), "gone", None) is not Gone.KEEP
    ]
    assert not [place for place in left if place[1] != "erasures"], left
    unexpected = [found for found in audit_erasure(int(alice.id)) if not found.expected]
    assert not unexpected, repr(unexpected)
    assert bob.client.get("/v1/auth/me").status_code == 200
