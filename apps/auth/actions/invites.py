"""Invites: codes to register with while registration is by invitation. Only digests of the codes are stored."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import get_random_string

from apps.auth.models import Invite
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, NotFound

MAX_USES = 100_000
MAX_DAYS = 3650
_CODE_LENGTH = 20
_CODE_CHARS = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike: 99 bits in all


@dataclass(frozen=True, slots=True)
class InviteState:
    """An invite; `code` is known only on creation. Without `expires_at` it is valid until used up."""

    id: int
    note: str
    uses_left: int
    created_at: datetime
    expires_at: datetime | None
    code: str = ""


@transactional("auth")
def create_invite(*, uses: int = 1, days: int | None = None, note: str = "") -> InviteState:
    """Creates a code for `uses` registrations within `days`; Invalid for numbers out of range or a note too long."""
    check_invite(uses=uses, days=days, note=note)
    code = get_random_string(_CODE_LENGTH, _CODE_CHARS)
    expires_at = timezone.now() + timedelta(days=days) if days is not None else None
    row = Invite(digest=_digest(code), note=note, uses_left=uses, expires_at=expires_at)
    row.save(force_insert=True)
    return _state(row, code=code)


def check_invite(*, uses: int, days: int | None, note: str) -> None:
    """Invalid for numbers out of range or a note too long."""
    if not 1 <= uses <= MAX_USES:
        raise Invalid.of("uses", "uses_invalid", f"An invite has 1 to {MAX_USES} uses.")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise Invalid.of("days", "days_invalid", f"An invite is valid for 1 to {MAX_DAYS} days.")
    if len(note) > 100:
        raise Invalid.of("note", "max_length", "A note has at most 100 characters.")


def invite_states() -> list[InviteState]:
    """All invites, including used and expired ones, newest first. One query."""
    return [_state(row) for row in Invite.objects.order_by("-created_at", "-id")]


@transactional("auth")
def revoke_invite(*, invite_id: int) -> None:
    """Deletes an invite, so that nobody else registers with it; NotFound if there is none."""
    removed, _ = Invite.objects.filter(id=invite_id).delete()
    if not removed:
        raise NotFound("there is no such invite")


def spend_invite(code: str) -> None:
    """Takes one use from an invite; Invalid, without the reason, for a code that is missing, unknown, used up or
    expired. The caller holds the transaction: a registration that fails takes no use."""
    if not code.strip():
        raise Invalid.of("invite", "invite_required", "Registration needs an invitation code.")
    holds = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    # The update locks the row and checks the count under the lock, so two at once cannot both take the last use.
    spent = Invite.objects.filter(holds, digest=_digest(code), uses_left__gt=0).update(uses_left=F("uses_left") - 1)
    if not spent:
        raise Invalid.of("invite", "invite_invalid", "This code is not valid or has expired.")


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().lower().encode()).hexdigest()


def _state(row: Invite, *, code: str = "") -> InviteState:
    return InviteState(row.id, row.note, row.uses_left, row.created_at, row.expires_at, code)
