"""Preferences: how, when and in which language to notify, and muted conversations."""

from collections.abc import Container, Mapping
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core import signing
from django.utils import timezone

from apps.notifications.models import Digest, Kind, MutedConversation, NotificationPreference, NotificationSettings
from apps.notifications.queries import DEFAULT_FLAGS, KINDS
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, NotFound, require_version
from socialapp.lifecycle.removal import deleted_among

_UNSUBSCRIBE_SALT = "socialapp.notifications.unsubscribe"
_DIGEST = "digest"
_MONDAY = 0


@transactional("notifications")
def change_preferences(
    *,
    user_id: int,
    changes: Mapping[str, Mapping[str, bool]],
    digest: str | None = None,
    expected_versions: Container[int] | None = None,
) -> None:
    """Sets the given flags of the given kinds, and the digest if given; Stale if the version differs.

    Invalid for switching off moderation notices, which are always shown in the app.
    """
    if changes.get(Kind.MODERATION, {}).get("in_app") is False:
        raise Invalid.of(Kind.MODERATION, "required", "Notices from moderation cannot be switched off.")
    chosen = _locked_settings(user_id)
    rows = {row.kind: row for row in NotificationPreference.objects.filter(user_id=user_id)}
    version = sum(row.version for row in rows.values()) + chosen.version
    require_version(
        version, expected=expected_versions, detail="the preferences were changed meanwhile; read them again"
    )
    for kind, flags in sorted(changes.items()):
        row = rows.get(kind) or NotificationPreference(user_id=user_id, kind=kind, **DEFAULT_FLAGS, version=0)
        if any(getattr(row, name) != value for name, value in flags.items()):
            for name, value in flags.items():
                setattr(row, name, value)
            row.version += 1
            row.save()
    if digest is not None:
        _change_settings(chosen, {"digest": digest})


@transactional("notifications")
def change_schedule(
    *, user_id: int, changes: Mapping[str, Any], expected_versions: Container[int] | None
) -> NotificationSettings:
    """Sets time zone, language, quiet hours and digest hour, as far as given; Stale as for preferences."""
    chosen = _locked_settings(user_id)
    detail = "the schedule was changed meanwhile; read it again"
    require_version(chosen.version, expected=expected_versions, detail=detail)
    return _change_settings(chosen, changes)


def _locked_settings(user_id: int) -> NotificationSettings:
    """The person's settings, whose lock also protects their preferences. The caller holds the transaction; NotFound
    for an erased person."""
    if deleted_among("notifications", ids=[user_id]):
        raise NotFound("this account was deleted")
    NotificationSettings.objects.get_or_create(user_id=user_id)
    return NotificationSettings.objects.select_for_update().get(user_id=user_id)


def _change_settings(row: NotificationSettings, changes: Mapping[str, Any]) -> NotificationSettings:
    """The changed settings. The caller holds their lock."""
    if any(getattr(row, name) != value for name, value in changes.items()):
        for name, value in changes.items():
            setattr(row, name, value)
        row.next_digest_at = next_digest_at(row, after=timezone.now())
        row.version += 1
        row.save(update_fields=[*changes, "next_digest_at", "version"])
    return row


def next_digest_at(row: NotificationSettings, *, after: datetime) -> datetime | None:
    """The person's next digest hour, weekly ones on Mondays; None if they want none.

    An hour that is skipped when clocks change is replaced by the next one.
    """
    if row.digest == Digest.OFF:
        return None
    zone = ZoneInfo(row.time_zone)
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, time(row.digest_hour), zone).astimezone(ZoneInfo("UTC"))
        if moment > after and (row.digest == Digest.DAILY or day.weekday() == _MONDAY):
            return moment
        day += timedelta(days=1)


def quiet_until(row: NotificationSettings | None, *, now: datetime) -> datetime | None:
    """When the person's present quiet hours end; None outside of them."""
    if row is None or not row.quiet_from:
        return None
    local = now.astimezone(ZoneInfo(row.time_zone))
    start, end = time.fromisoformat(row.quiet_from), time.fromisoformat(row.quiet_to)
    at = local.time().replace(tzinfo=None)
    is_quiet = start <= at < end if start < end else at >= start or at < end
    if not is_quiet:
        return None
    day = local.date() if at < end else local.date() + timedelta(days=1)
    # when clocks go back, an end in the hour that comes twice must be in the same one as `now`: it could be past
    return datetime.combine(day, end.replace(fold=local.fold), local.tzinfo)


# --- Unsubscribing without logging in (RFC 8058) -------------------------------------------------------------------


def unsubscribe_token(*, user_id: int, kind: str | None) -> str:
    """A token that stops the mails of one kind, or (None) the digest. It never expires, as old mails are read too."""
    return signing.dumps({"user": user_id, "kind": kind or _DIGEST}, salt=_UNSUBSCRIBE_SALT)


def unsubscribe(*, token: str) -> None:
    """Stops the mails that a token is for; Invalid if it is not ours. Idempotent, also once the person is erased."""
    try:
        content = signing.loads(token, salt=_UNSUBSCRIBE_SALT)
    except signing.BadSignature:
        raise Invalid.of("token", "token_invalid", "This link is not valid.") from None
    if content["kind"] == _DIGEST:
        _stop_digest(user_id=content["user"])
    elif content["kind"] in KINDS:
        with suppress(NotFound):
            change_preferences(user_id=content["user"], changes={content["kind"]: {"email": False}})


@transactional("notifications")
def _stop_digest(*, user_id: int) -> None:
    if NotificationSettings.objects.filter(user_id=user_id).exclude(digest=Digest.OFF).exists():
        _change_settings(_locked_settings(user_id), {"digest": Digest.OFF})


# --- Muted conversations --------------------------------------------------------------------------------------------


@transactional("notifications")
def set_conversation_mute(*, user_id: int, post_id: int, muted: bool, at: datetime) -> None:
    """Records whether a person muted a post, for the previous release: this one asks posts. The newest event wins."""
    if deleted_among("notifications", ids=[user_id, post_id]):
        return
    rows = MutedConversation.objects
    row, created = rows.get_or_create(user_id=user_id, post_id=post_id, defaults={"muted": muted, "at": at})
    if not created:
        rows.filter(id=row.id, at__lt=at).update(muted=muted, at=at)
