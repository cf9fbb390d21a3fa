"""Reads the progress of erasures and exports."""

from dataclasses import dataclass
from datetime import datetime

from apps.auth.models import Erasure, ErasureAck, Export, User
from socialapp.core.contexts import CONTEXTS
from socialapp.core.errors import NotFound
from socialapp.core.json import rfc3339


@dataclass(frozen=True, slots=True)
class ErasureProgress:
    """The progress of an erasure; `status` is scheduled, running or complete.

    `erased` maps every context to the time at which it erased its data, or None.
    """

    id: int
    status: str
    requested_at: datetime
    due_at: datetime | None
    completed_at: datetime | None
    erased: dict[str, datetime | None]
    certificate: str | None


def erasure_progress(erasure_id: int) -> ErasureProgress:
    """The progress of an erasure; NotFound for an unknown one. Two queries."""
    erasure = Erasure.objects.select_related("user").prefetch_related("acks").filter(id=erasure_id).first()
    if erasure is None:
        raise NotFound("there is no such erasure")
    erased_at = {ack.context: ack.erased_at for ack in erasure.acks.all()}
    return ErasureProgress(
        id=erasure.id,
        status=_erasure_status(erasure),
        requested_at=erasure.requested_at,
        due_at=erasure.due_at,
        completed_at=erasure.completed_at,
        erased={name: erased_at.get(name) for name in CONTEXTS},
        certificate=erasure.certificate,
    )


def _erasure_status(erasure: Erasure) -> str:
    if erasure.completed_at:
        return "complete"
    return "running" if erasure.user.status == User.Status.DELETED else "scheduled"


def erased_parts(erasure_id: int) -> list[dict[str, object]]:
    """Each context's report, as certificates state it: when it erased its data, and how many rows of which tables. One
    query."""
    acks = ErasureAck.objects.filter(erasure_id=erasure_id).order_by("context")
    return [{"name": ack.context, "erased_at": rfc3339(ack.erased_at), "rows": ack.rows or {}} for ack in acks]


def erased_user(erasure_id: int) -> int:
    """The id of the user that an erasure is about; NotFound for an unknown one."""
    user_id = Erasure.objects.filter(id=erasure_id).values_list("user_id", flat=True).first()
    if user_id is None:
        raise NotFound("there is no such erasure")
    return user_id


@dataclass(frozen=True, slots=True)
class ExportState:
    """The progress of an export; `has_archive` while it can be downloaded."""

    id: int
    status: str
    requested_at: datetime
    expires_at: datetime | None
    has_archive: bool


def export_of(export: Export) -> ExportState:
    """The plain data of a loaded export."""
    return ExportState(export.id, export.status, export.requested_at, export.expires_at, bool(export.archive))


def own_export(export_id: int, *, user_id: int, session_id: int) -> ExportState:
    """An export that this session requested; NotFound for another's, an unknown or an expired one. One query."""
    export = Export.objects.filter(id=export_id, user_id=user_id, session_id=session_id).first()
    if export is None:
        raise NotFound("there is no such export")
    return export_of(export)


@dataclass(frozen=True, slots=True)
class ExportOwner:
    """Whom an export is about, and the session that requested it; None for a banned person, who has no session."""

    user_id: int
    session_id: int | None


def export_owner(export_id: int) -> ExportOwner | None:
    """Whose export it is; None for an unknown one. One query."""
    export = Export.objects.filter(id=export_id).first()
    return ExportOwner(export.user_id, export.session_id) if export else None


def export_of_banned(user_id: int) -> ExportState | None:
    """The newest export that a banned person has requested; None if there is none. One query."""
    export = Export.objects.filter(user_id=user_id, session_id=None).order_by("-id").first()
    return export_of(export) if export else None
