"""Adds to the hash-chained log of actions.

The salted content hash lets personal content be erased without breaking the chain.
Source: Schneier and Kelsey, Secure Audit Logs to Support Computer Forensics, 1999.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from apps.moderation.models import Action, LogHead, TargetType
from apps.moderation.queries import Target, chain_hash, content_hash
from socialapp.core.db import transactional
from socialapp.core.errors import NotFound
from socialapp.lifecycle.removal import deleted_among


def lock_log() -> LogHead:
    """The end of the log, locked: until the caller's transaction ends, nobody else adds a decision.

    Also for a caller that first looks for an earlier decision: two at once would both find none.
    """
    head, _ = LogHead.objects.select_for_update().get_or_create(id=1)
    return head


@transactional("moderation")
def add_entry(
    kind: Action.Kind,
    *,
    moderator_id: int | None,
    user_id: int | None = None,
    target: Target | None = None,
    case_id: int | None = None,
    reason: str = "",
    note: str = "",
    rule_id: int | None = None,
    until: datetime | None = None,
    reverses_id: int | None = None,
) -> Action:
    """Adds one entry at the end of the log. `moderator_id` is None for word rules and erasures.

    NotFound if the person it is about was erased: the log must not name erased people.
    """
    head = lock_log()
    entry = Action(
        sequence=head.sequence + 1,
        kind=kind,
        moderator_id=moderator_id,
        user_id=user_id,
        target_type=target.type if target else "",
        target_id=target.id if target else None,
        case_id=case_id,
        reason=reason,
        note=note,
        rule_id=rule_id,
        until=until,
        reverses_id=reverses_id,
        created_at=timezone.now(),
        salt=secrets.token_hex(16),
        previous_hash=head.hash,
    )
    entry.content_hash = content_hash(entry)
    entry.hash = chain_hash(previous=entry.previous_hash, content=entry.content_hash)
    entry.save()
    head.sequence, head.hash = entry.sequence, entry.hash
    head.save()
    _refuse_if_erased(user_id, target.author_id if target else None)
    return entry


def _refuse_if_erased(*people: int | None) -> None:
    """A locking read *after* the entry was written: an erasure writes its tombstone first and then reads with locks.

    So one of the two waits for the other, and no entry escapes the erasure.
    """
    ids = [user_id for user_id in people if user_id is not None]
    if deleted_among("moderation", ids=ids, lock=True):
        raise NotFound("the person it is about was erased")


@transactional("moderation")
def redact_entries(*, user_id: int, limit: int) -> int:
    """Redacts a person from up to `limit` entries, and adds an entry that lists them; returns how many there were."""
    about = Q(user_id=user_id) | Q(target_type=TargetType.USER, target_id=user_id)
    concerning = list(Action.objects.select_for_update().filter(about).order_by("id")[:limit])
    made_by = list(Action.objects.filter(moderator_id=user_id).order_by("id")[:limit])
    entries = {entry.sequence: entry for entry in (*concerning, *made_by)}
    if not entries:
        return 0
    Action.objects.filter(id__in=[entry.id for entry in concerning]).update(user_id=None, reason="", note="")
    about_user = [entry.id for entry in concerning if entry.target_type == TargetType.USER]
    Action.objects.filter(id__in=about_user).update(target_id=None)
    Action.objects.filter(id__in=[entry.id for entry in made_by]).update(moderator_id=None)
    Action.objects.filter(sequence__in=list(entries)).update(salt="", is_redacted=True)
    add_entry(Action.Kind.REDACT_ENTRIES, moderator_id=None, reason=_named(sorted(entries)))
    return len(entries)


def _named(sequences: Sequence[int]) -> str:
    return " ".join(map(str, sequences))
