"""Every decision has an effect and is undone exactly: in all lists, exports, files and notifications."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.utils import timezone

from apps.auth.models import User
from apps.moderation import actions
from apps.moderation.actions.acts import RESTRICTING, SANCTIONING
from apps.moderation.admin.choices import CHOICES, choices_for
from apps.moderation.models import Action
from apps.moderation.presenters import statement_bodies
from apps.moderation.queries import APPEALABLE, check_log
from apps.moderation.serializers import ACTIONS
from socialapp.contracts.data_export import DataExport
from socialapp.contracts.users import Users
from socialapp.core.errors import Conflict, NotFound
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, deliver_outbox
from tests.media.conftest import _commit_at_once, is_served, store, upload  # noqa: F401 (fixtures)
from tests.moderation.acts import act
from tests.moderation.conftest import Thread
from tests.moderation.found import drifts, everything, settle

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

NOTHING_TO_UNDO = ("dismiss", "warn")
# All decisions that pages offer, per kind of target. Those about people are offered for all kinds, but tested once.
DECISIONS = [
    (choice.name, target_type)
    for target_type in ("post", "comment", "user")
    for choice in choices_for(target_type, figures={})
    if choice.name not in NOTHING_TO_UNDO and (target_type == "user") == (choice.name in SANCTIONING)
]


def test_all_decisions_are_tested_and_named() -> None:
    known = {"dismiss", "remove", *RESTRICTING, *SANCTIONING}
    assert {choice.name for choice in CHOICES} == known
    assert {name for name, _ in DECISIONS} == known - set(NOTHING_TO_UNDO)
    assert sorted(APPEALABLE) == sorted(ACTIONS), "the API has a name for every decision that users see"
    kinds = {kind.value for kind in (*RESTRICTING.values(), *SANCTIONING.values())}
    entries = [Action(sequence=1, kind=kind, reason="x", created_at=timezone.now()) for kind in sorted(kinds)]
    assert all(one["restriction"] and one["ground"] for one in statement_bodies(entries)), (
        "every decision has a statement of reasons"
    )


def standing(thread: Thread) -> tuple[object, ...]:
    """Ann's permissions, which show only when she tries something."""
    person = next(iter(client(Users).documents(ids=[int(thread.ann.id)])), None)
    account = User.objects.get(id=int(thread.ann.id))
    flags = (person.silenced, person.limited, person.links_limited, person.media_limited) if person else None
    return flags, account.status, account.must_reset_password


def exported(thread: Thread) -> list[object]:
    """Profile and texts in the exports of Ann and Ben."""
    found: list[object] = []
    for context, table, person, names in (
        ("posts", "posts", thread.ann, ("id", "content", "hidden")),
        ("posts", "removed_posts", thread.ann, ("id", "content")),
        ("comments", "comments", thread.ben, ("id", "content")),
        ("users", "profiles", thread.ann, ("full_name", "bio", "status")),
    ):
        try:
            rows = client(DataExport, context=context).rows(user_id=int(person.id), table=table, offset=0, limit=50)
        except NotFound:
            continue
        found.append([{name: orjson.loads(row).get(name) for name in names} for row in rows])
    return found


def notified(reader: JsonClient) -> list[tuple[object, ...]]:
    """The notifications that a reconnecting socket receives, without moderation's."""
    listed = reader.get("/v1/notifications").json().get("results", [])
    return [(one["id"], one["kind"], one["message"]) for one in listed if one["kind"] != "moderation"]


@pytest.mark.parametrize(("decision", "target_type"), DECISIONS)
def test_every_decision_has_an_effect_and_is_undone_exactly(
    lively: Thread,
    anonymous: JsonClient,
    upload: Callable[..., dict[str, Any]],  # noqa: F811
    decision: str,
    target_type: str,
) -> None:
    readers = [lively.ann.client, lively.ben.client, lively.cleo.client, anonymous]
    if target_type == "user":
        readers = readers[1:]  # decisions that end the person's sessions do not restore them
    picture = upload(lively.ann)
    assert lively.ann.client.patch("/v1/profiles/me", {"bio": "a plain life"}).status_code == 200
    edit = {"content": "a plain post #marmot @cleo", "media_ids": [picture["id"]]}
    assert lively.ann.client.patch(f"/v1/posts/{lively.post_id}", edit).status_code == 200
    deliver_outbox()
    url = lively.cleo.client.get(f"/v1/posts/{lively.post_id}").json()["media"][0]["url"]

    def seen() -> list[object]:
        found: list[object] = [everything(lively, reader) for reader in readers]
        found += [notified(reader) for reader in readers if reader is not anonymous]
        return [*found, standing(lively), exported(lively), is_served(anonymous, url)]

    before = seen()
    assert before[-1] is True
    entry = actions.carry_out(act(lively, decision, target_type))
    assert (entry.reason, entry.note, entry.moderator_id) == ("be kind", "seen before", 900)
    deliver_outbox()
    deliver_outbox()
    changed = seen()
    assert changed != before, "the decision had an effect"
    if (decision, target_type) in (("remove", "post"), ("hide", "post"), ("ban", "user")):
        assert changed[-1] is False, "its files are no longer served"
    actions.lift_action(moderator_id=901, action_id=entry.id, reason="it was wrong")
    deliver_outbox()
    with pytest.raises(Conflict):
        actions.lift_action(moderator_id=901, action_id=entry.id, reason="again")
    assert seen() == before
    settle()
    assert drifts() == []
    assert check_log().problems == []
