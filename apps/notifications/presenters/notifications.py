"""API bodies of notifications."""

from collections.abc import Sequence

from apps.notifications.access import Visibility
from apps.notifications.models import Kind, NotificationSettings, Provider, PushSubscription, Target
from apps.notifications.presenters.texts import message_text
from apps.notifications.queries import Listed, Preferences
from socialapp.contracts.users import ProfileSummary
from socialapp.http.profile_summary import profile_summary_body

NotificationBody = dict[str, object]

MAX_SHOWN_ACTORS = 3
_URLS: dict[str, str] = {Target.POST: "/v1/posts/", Target.COMMENT: "/v1/comments/", Target.USER: "/v1/profiles/"}


def notification_bodies(*, visibility: Visibility, rows: Sequence[Listed]) -> list[NotificationBody]:
    """The notification objects of visible rows, in the given order."""
    return [_notification_body(row, visibility) for row in rows if visibility.shows(row)]


def new_post_body(row: Listed, *, author: ProfileSummary) -> NotificationBody:
    """The notification of a new post: the same for every follower, except for its id."""
    return _fields(row, actors=[author], count=1, message=sentence(row, actors=[author], count=1))


def sentence(row: Listed, *, actors: Sequence[ProfileSummary], count: int, language: str = "en") -> str:
    """The text of a notification, with the names of the actors."""
    if row.kind == Kind.MODERATION:
        return row.message
    names = [actor.full_name or actor.username for actor in actors[:MAX_SHOWN_ACTORS]]
    return message_text(row.kind, names=names, count=count, target_type=row.target_type, language=language)


def _notification_body(row: Listed, visibility: Visibility) -> NotificationBody:
    if row.kind == Kind.MODERATION:
        action_id = str(row.action_id) if row.action_id is not None else None
        return {**_fields(row, actors=[], count=0, message=row.message), "action_id": action_id}
    actors, count = visibility.profiles(row), visibility.actors_count(row)
    return _fields(row, actors=actors, count=count, message=sentence(row, actors=actors, count=count))


def _fields(row: Listed, *, actors: Sequence[ProfileSummary], count: int, message: str) -> NotificationBody:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "message": message,
        "actors": [profile_summary_body(actor) for actor in actors[:MAX_SHOWN_ACTORS]],
        "actors_count": count,
        "target": _target(row),
        "is_read": row.is_read,
        "created_at": row.created_at,
        "group_id": str(row.group_id) if row.group_id is not None else None,
    }


def _target(row: Listed) -> dict[str, str] | None:
    if row.target_type == Target.NONE or row.target_id is None:
        return None
    return {
        "type": row.target_type,
        "id": str(row.target_id),
        "url": f"{_URLS[row.target_type]}{row.target_id}",
    }


def preferences_body(preferences: Preferences) -> dict[str, object]:
    """The preferences: the flags of every kind, and how often a digest is mailed."""
    return {**preferences.flags, "digest": preferences.digest}


def schedule_body(row: NotificationSettings) -> dict[str, object]:
    """When and in which language a person is notified."""
    quiet = {"from": row.quiet_from, "to": row.quiet_to} if row.quiet_from else None
    return {
        "time_zone": row.time_zone,
        "language": row.language or None,
        "quiet_hours": quiet,
        "digest_hour": row.digest_hour,
    }


def subscription_body(row: PushSubscription) -> dict[str, object]:
    """A push subscription, without its keys or device token."""
    return {
        "id": str(row.id),
        "provider": row.provider,
        "endpoint": row.endpoint if row.provider == Provider.WEB else None,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
    }
