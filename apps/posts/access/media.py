"""Access to media: ownership, upload quotas, and who may see the files."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.posts.access.visibility import is_for_followers, load_visibility
from apps.posts.models import Media
from apps.posts.queries import MediaPlace, media_by_id, media_of, media_place, uploaded_since
from socialapp.contracts.comments import Comments
from socialapp.contracts.users import Author, Users
from socialapp.core.errors import NotFound, TooMany
from socialapp.core.media import stores
from socialapp.core.media.addresses import is_url_of, path_of, seconds_left
from socialapp.rpc.calls import client
from socialapp.rpc.refusals import refuse_limited, screen_text

MAX_DESCRIPTION = 1500
# The audience that a signed URL is for: when the audience of the media changes, the URL becomes invalid.
OWNER, READERS, MODERATORS, UPLOADER = "owner", "readers", "moderators", "uploader"
_SHOWN = (MODERATORS, OWNER, READERS)
_WITHHELD = (MODERATORS, OWNER)  # authors still see what moderators have hidden but not removed


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file to be sent; `seconds` is how long its URL stays valid, None for ever."""

    name: str
    content_type: str
    seconds: int | None


def own_media(*, user_id: int, media_id: int) -> Media:
    """Somebody's own media; NotFound for anybody else's."""
    media = media_of(user_id=user_id, media_id=media_id)
    if media is None:
        raise no_such_media()
    return media


def no_such_media() -> NotFound:
    """The error for media that do not exist or belong to somebody else."""
    return NotFound("there is no such media of yours")


def refuse_description(*, media: Media, description: str) -> None:
    """Forbidden or Invalid if the author may not write this text beside the media's post or comment: an account that
    moderators limited, or a word rule that rejects it. Other rules are applied a moment later. Two calls at most.
    """
    if media.post_id is None:
        return
    author = load_visibility(viewer_id=media.user_id, author_ids=[media.user_id]).authors.get(media.user_id)
    if author is not None:
        refuse_limited(author, content=description, has_media=False)
    screen_text(
        "posts",
        author_id=media.user_id,
        content=description,
        target_type="post" if media.comment_id is None else "comment",
        target_id=media.comment_id or media.post_id,
        field="description",
    )


def upload_path(media_id: int, *, number: int | str) -> str:
    """The path that the upload URL of a part is signed for, if this server is the store."""
    return f"uploads/{media_id}/{number}"


def media_to_upload(*, media_id: int, number: str, expires: str, signature: str) -> Media:
    """The media that an upload URL is for; NotFound if the URL is forged or expired.

    Whoever has the URL may upload, like a presigned URL of a bucket.
    """
    path = upload_path(media_id, number=number)
    holds = seconds_left(path, audience=UPLOADER, expires=expires, signature=signature) is not None
    media = media_by_id(media_id) if holds else None
    if media is None:
        raise NotFound("this upload URL is not valid or has expired")
    return media


def check_quota(*, user_id: int, size: int) -> None:
    """TooMany if another upload of `size` bytes would exceed the daily quota of a person."""
    used = uploaded_since(user_id=user_id, since=timezone.now() - timedelta(days=1))
    if used.files >= settings.MEDIA_DAILY_FILES or used.size + size > settings.MEDIA_DAILY_BYTES:
        raise TooMany("you have reached the upload quota for one day", code="media_quota_reached", retry_after=3600)


def served_file(*, media_id: int, file_name: str, expires: str, signature: str) -> ServedFile:
    """The file behind a URL; NotFound if there is none, or if this URL does not allow seeing it.

    Without a signature only public media are found. That is checked each time, so the URLs of media that are no longer
    public stop working. One query and one call, two for media in a comment.
    """
    place = media_place(media_id=media_id)
    if place is None:
        raise no_such_file()
    path = f"{media_id}/{file_name}"
    for file in place.files.values():
        if path == path_of(media_id, digest=file["digest"], extension=file["extension"]):
            break
    else:
        raise no_such_file()
    seconds = None
    if signature:
        left = (
            seconds_left(path, audience=audience, expires=expires, signature=signature)
            for audience in _audiences(place)
        )
        seconds = next((number for number in left if number is not None), None)
        if seconds is None:
            raise no_such_file()
    elif not _is_public(place, media_id=media_id):
        raise no_such_file()
    extension = file["extension"]
    return ServedFile(stores.file_name(file["digest"], extension=extension), stores.CONTENT_TYPES[extension], seconds)


def _audiences(place: MediaPlace) -> tuple[str, ...]:
    """The audiences whose signed URLs are valid at present. One call, two for media in a comment."""
    if _active_owner(place) is None:
        return (MODERATORS,)
    if place.comment_id is not None:
        is_shown = not place.is_in_removed_post and client(Comments).documents(comment_ids=[place.comment_id])
        return _SHOWN if is_shown else _WITHHELD
    if place.is_in_removed_post:
        return (MODERATORS,)
    return _WITHHELD if place.is_in_hidden_post or place.post_id is None else _SHOWN


def _is_public(place: MediaPlace, *, media_id: int) -> bool:
    """Whether these media are public: in a profile, or in a public post of a public account.

    Media in comments have signed URLs only.
    """
    if Media.Place(place.shown_in).is_in_profile:
        return any(is_url_of(url, media_id=media_id) for url in profile_pictures(place.user_id).values())
    owner = _active_owner(place) if place.is_in_public_post else None
    return owner is not None and not is_for_followers(owner)


def _active_owner(place: MediaPlace) -> Author | None:
    owner = load_visibility(viewer_id=None, author_ids=[place.user_id]).authors.get(place.user_id)
    return owner if owner is not None and owner.active else None


def profile_pictures(user_id: int) -> dict[str, str]:
    """The URLs of the pictures that a profile shows now, by place: none of somebody inactive, nor after a moderator
    reset the profile. One call."""
    fields = {Media.Place.PROFILE.value: "profile_picture", Media.Place.HEADER.value: "header_picture"}
    profiles = client(Users).profile_bodies(viewer_id=None, ids=[user_id])
    return {place: str(profile[name]) for profile in profiles for place, name in fields.items() if profile[name]}


def no_such_file() -> NotFound:
    """The error for a URL that is wrong, expired, or no longer public."""
    return NotFound("there is no such file, or its URL is no longer valid")
