"""SQL of media."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db.models import Count, Sum
from django.utils import timezone

from apps.posts.models import Media, Post, RemovedPost, StoredFile
from socialapp.contracts.posts import Storage
from socialapp.core.sql import select


class UploadedAmount(NamedTuple):
    """What somebody has uploaded: how many files, and how many bytes."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class MediaPlace:
    """Where some media are shown, with their files."""

    user_id: int
    shown_in: str
    post_id: int | None
    comment_id: int | None
    files: dict[str, dict[str, Any]]
    is_in_public_post: bool
    is_in_hidden_post: bool
    is_in_removed_post: bool


def media_of(*, user_id: int, media_id: int) -> Media | None:
    """Somebody's own media. One query."""
    return Media.objects.filter(id=media_id, user_id=user_id).first()


def has_profile_media(user_id: int) -> bool:
    """Whether any media of this person are in their profile, or were until it shows others. One query."""
    return Media.objects.filter(user_id=user_id, shown_in__in=(Media.Place.PROFILE, Media.Place.HEADER)).exists()


def media_by_id(media_id: int) -> Media | None:
    """Anybody's media. One query."""
    return Media.objects.filter(id=media_id).first()


def descriptions_of(*, user_id: int, media_ids: Sequence[int]) -> list[str]:
    """The descriptions of somebody's media, in this order; unknown media and those of others are omitted. One query."""
    rows = Media.objects.filter(id__in=media_ids, user_id=user_id).values_list("id", "description")
    found = dict(rows) if media_ids else {}
    return [found[media_id] for media_id in media_ids if media_id in found]


def uploaded_since(*, user_id: int, since: datetime) -> UploadedAmount:
    """What somebody has uploaded since then. One query."""
    used = Media.objects.filter(user_id=user_id, created_at__gt=since).aggregate(files=Count("id"), bytes=Sum("size"))
    return UploadedAmount(used["files"], used["bytes"] or 0)


def waiting_media(*, limit: int) -> list[int]:
    """Unclaimed media that wait to be processed, longest waiting first."""
    waiting = Media.objects.filter(status=Media.Status.PROCESSING).exclude(claimed_until__gt=timezone.now())
    return list(waiting.order_by("id").values_list("id", flat=True)[:limit])


def claimed_media() -> int:
    """How many media are being processed, by any worker."""
    return Media.objects.filter(status=Media.Status.PROCESSING, claimed_until__gt=timezone.now()).count()


class ShownMedia(NamedTuple):
    """The copy that a post stores of one of its media."""

    post_id: int
    media: dict[str, Any]


def shown_media(post_ids: Sequence[int]) -> list[ShownMedia]:
    """The media of posts, in order, including removed posts. Two queries."""
    found = []
    for model in (Post, RemovedPost):
        posts = model._default_manager.filter(id__in=list(post_ids), media__isnull=False)
        for post_id, media in posts.values_list("id", "media"):
            found += [ShownMedia(post_id, each) for each in media or ()]
    return found


class CommentMediaKey(NamedTuple):
    """Some media, and the comment that shows them."""

    id: int
    comment_id: int


def media_in_comments(*, after: int, limit: int) -> list[CommentMediaKey]:
    """Up to `limit` media of comments with ids above `after`, ascending. One query."""
    rows = Media.objects.filter(shown_in=Media.Place.COMMENT, id__gt=after, comment_id__isnull=False)
    shown = rows.order_by("id").values_list("id", "comment_id")[:limit]
    return [CommentMediaKey(media_id, comment_id) for media_id, comment_id in shown if comment_id is not None]


def media_of_comments(comment_ids: Sequence[int]) -> list[Media]:
    """The media of comments. One query."""
    return list(Media.objects.filter(comment_id__in=comment_ids, status=Media.Status.READY))


_FILE_SQL = (
    "SELECT m.user_id, m.shown_in, m.position, m.post_id, m.comment_id, m.files, p.is_private, p.hidden"
    " FROM media m LEFT JOIN posts p ON p.id = m.post_id WHERE m.id = %s AND m.status = 'ready'"
)


def media_place(*, media_id: int) -> MediaPlace | None:
    """Where ready media are shown. One query."""
    for row in select(Media, sql=_FILE_SQL, values=[media_id]):
        user_id, shown_in, position, post_id, comment_id, files, is_private, hidden = row
        return MediaPlace(
            user_id=user_id,
            shown_in=shown_in,
            post_id=post_id,
            comment_id=comment_id,
            files=orjson.loads(files),
            is_in_public_post=is_private is not None and not (is_private or hidden) and position is not None,
            is_in_hidden_post=bool(hidden),
            is_in_removed_post=post_id is not None and is_private is None,
        )
    return None


def stored_files() -> Storage:
    """The number and total size of the stored files. One query over the table of files."""
    held = StoredFile.objects.aggregate(files=Count("digest"), size=Sum("size"))
    return Storage(files=held["files"], bytes=held["size"] or 0)
