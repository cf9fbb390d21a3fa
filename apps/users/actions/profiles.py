"""Profiles: created from accounts, changed by owners, hidden and shown by sanctions, with counts kept by events."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from apps.users.access import ProfileMissing
from apps.users.actions.follows import ACCEPT_REQUESTS
from apps.users.actions.relations import lock_profiles, require_active, shift_counts
from apps.users.models import FollowRequest, PostCount, Profile, ProfileReset
from apps.users.queries import erased_among, unknown_ids, unknown_names
from socialapp.contracts.auth import Auth, User
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import ProfileChanged, StatusChanged
from socialapp.core.db import transactional
from socialapp.core.errors import require_version
from socialapp.core.sql import add
from socialapp.lifecycle.jobs import start_job
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client
from socialapp.rpc.refusals import screen_text

T = TypeVar("T")


@transactional("users")
def make_profile(
    *,
    user_id: int,
    username: str,
    full_name: str,
    created_at: datetime,
    is_banned: bool = False,
    is_deactivated: bool = False,
) -> bool:
    """Creates the profile of a new account; False if there is one already, or its tombstone."""
    _, made = Profile.objects.get_or_create(
        user_id=user_id,
        defaults={
            "username": username,
            "username_key": username.casefold(),
            "full_name": full_name[:100],
            "created_at": created_at,
            "status": _status(is_banned=is_banned, is_deactivated=is_deactivated),
            "deactivated": is_deactivated,
        },
    )
    if made:
        publish(ProfileChanged(user_id=user_id, version=1))
    return made


@transactional("users")
def rename_profile(*, user_id: int, username: str) -> None:
    """Changes the username that a person is shown under. Idempotent."""
    profile = Profile.objects.select_for_update().filter(user_id=user_id, erased=False).first()
    if profile is None or profile.username == username:
        return
    profile.username, profile.username_key = username, username.casefold()
    profile.version += 1
    profile.save(update_fields=["username", "username_key", "version"])
    publish(ProfileChanged(user_id=user_id, version=profile.version))


def ensure_profiles(*, ids: Collection[int]) -> bool:
    """Creates missing profiles of existing accounts by calling auth; returns whether a reader should look again.

    The event of a registration may still be on its way when the new account is first read; or it arrives between
    that read and this call, when nothing is missing any more.
    """
    unknown = unknown_ids(ids)
    accounts = _accounts(unknown)
    for account in accounts:
        make_profile_of(account)
    return bool(accounts) or not unknown


def ensure_named_profiles(*, usernames: Iterable[str]) -> bool:
    """Creates missing profiles of accounts with these names by calling auth; returns whether there were any.

    People are mentioned or looked up right after registration, before its event has arrived here.
    """
    unknown = unknown_names(usernames)
    accounts = client(Auth).users_by_username(usernames=unknown) if unknown else []
    for account in accounts:
        make_profile_of(account)
    return bool(accounts)


def missing_accounts(*, ids: Collection[int]) -> list[User]:
    """The accounts among `ids` that have no profile yet. Calls auth only if one is missing."""
    return _accounts(unknown_ids(ids))


def _accounts(ids: list[int]) -> list[User]:
    return client(Auth).users(ids=ids) if ids else []


def status_of(user: User) -> str:
    """The profile status that corresponds to an account in auth."""
    return _status(is_banned=user.status == "banned", is_deactivated=user.is_deactivated)


def _status(*, is_banned: bool, is_deactivated: bool) -> Profile.Status:
    if is_banned:
        return Profile.Status.BANNED
    return Profile.Status.INACTIVE if is_deactivated else Profile.Status.ACTIVE


def make_profile_of(user: User) -> bool:
    """Creates the profile of an account from auth's data."""
    return make_profile(
        user_id=user.id,
        username=user.username,
        full_name=user.full_name,
        created_at=user.created_at,
        is_banned=user.status == "banned",
        is_deactivated=user.is_deactivated,
    )


def with_profiles(*, ids: Collection[int], call: Callable[[], T]) -> T:
    """The result of `call`, repeated after creating profiles that it missed: see `ensure_profiles`."""
    try:
        return call()
    except ProfileMissing:
        ensure_profiles(ids=ids)
        return call()  # also if none was created: the registration may have arrived in between


def ask_again(*, ids: Collection[int], ask: Callable[[], T], size: Callable[[T], int]) -> T:
    """The result of `ask`, repeated if people were missing from it whose registration had not arrived yet."""
    answer = ask()
    if size(answer) < len(set(ids)) and ensure_profiles(ids=ids):
        return ask()
    return answer


def change_profile(*, user_id: int, changes: dict[str, Any], expected_versions: Container[int] | None) -> None:
    """Like `update_profile`, with `profile_picture_media_id` in place of `profile_picture`, likewise for the header.

    Invalid if the media cannot be used or a word rule refuses a text. Makes calls, so not for use inside a transaction.
    """
    for field in ("full_name", "bio"):
        if changes.get(field):
            screen_text("users", author_id=user_id, content=changes[field], target_type="user", field=field)
    with_profiles(
        ids=[user_id],
        call=lambda: _require_changeable(Profile.objects.filter(user_id=user_id).first(), expected_versions),
    )  # before pictures take the place of those that the profile shows
    changes = dict(changes)
    if "profile_picture_media_id" in changes:
        media_id = changes.pop("profile_picture_media_id")
        changes["profile_picture"] = client(Posts).use_as_profile_picture(user_id=user_id, media_id=media_id)
    if "header_picture_media_id" in changes:
        media_id = changes.pop("header_picture_media_id")
        changes["header_picture"] = client(Posts).use_as_header_picture(user_id=user_id, media_id=media_id)
    with_profiles(
        ids=[user_id],
        call=lambda: update_profile(user_id=user_id, changes=changes, expected_versions=expected_versions),
    )


@transactional("users")
def update_profile(*, user_id: int, changes: dict[str, Any], expected_versions: Container[int] | None) -> None:
    """Changes some of `full_name`, `bio`, `is_private`, `is_discoverable` and the pictures of one's own profile.

    Stale if the newest version is not in `expected_versions`. An account that turns public accepts all requests:
    some at once, the others a moment later.
    """
    profile = _require_changeable(lock_profiles([user_id]).get(user_id), expected_versions)
    changed = [name for name, value in changes.items() if getattr(profile, name) != value]
    if not changed:
        return
    opened = profile.is_private and changes.get("is_private") is False
    for name in changed:
        setattr(profile, name, changes[name])
    if "is_private" in changed:
        profile.private_since = timezone.now() if profile.is_private else None
        changed.append("private_since")
    profile.version += 1
    profile.save(update_fields=[*changed, "version"])
    publish(ProfileChanged(user_id=user_id, version=profile.version))
    if opened:
        _open_account(user_id)


def _require_changeable(profile: Profile | None, expected_versions: Container[int] | None) -> Profile:
    profile = require_active(profile)
    require_version(profile.version, expected=expected_versions, detail="the profile has been changed meanwhile")
    return profile


def _open_account(user_id: int) -> None:
    """Starts the job that accepts all requests. Waits for requests being written; later ones see the open account."""
    shift_counts([], by=0, also_lock=user_id)
    if FollowRequest.objects.filter(target_id=user_id).exists():
        start_job("users", name=ACCEPT_REQUESTS, subject_id=user_id)


RESTRICTIONS = {
    "silence": ("silenced", True),
    "unsilence": ("silenced", False),
    "limit": ("limited", True),
    "unlimit": ("limited", False),
    "limit_links": ("links_limited", True),
    "unlimit_links": ("links_limited", False),
    "limit_media": ("media_limited", True),
    "unlimit_media": ("media_limited", False),
}
_RESET_FIELDS = ("full_name", "bio", "profile_picture", "header_picture")


@transactional("users")
def restrict_profile(*, user_id: int, kind: str, at: datetime) -> None:
    """Silences or limits somebody, or ends that, unless a later decision was applied already."""
    field, value = RESTRICTIONS[kind]
    profile = lock_profiles([user_id]).get(user_id)
    if profile is None or profile.status == Profile.Status.DELETED:
        return
    last: datetime | None = getattr(profile, f"{field}_at")
    if last is not None and last >= at:
        return
    setattr(profile, f"{field}_at", at)
    setattr(profile, field, value)
    profile.version += 1
    profile.save(update_fields=[field, f"{field}_at", "version"])
    publish(ProfileChanged(user_id=user_id, version=profile.version))


@transactional("users")
def reset_profile(*, user_id: int, action_id: int) -> None:
    """Empties the name, text and pictures of a profile and stores them for an appeal. Idempotent."""
    profile = lock_profiles([user_id]).get(user_id)
    if profile is None or profile.status == Profile.Status.DELETED:
        return
    held = {name: getattr(profile, name) for name in _RESET_FIELDS}
    _, made = ProfileReset.objects.get_or_create(action_id=action_id, defaults={"user_id": user_id, **held})
    if made and any(held.values()):
        _set_fields(profile, dict.fromkeys(_RESET_FIELDS, ""))


@transactional("users")
def restore_profile(*, user_id: int, action_id: int) -> None:
    """Restores what a reset took, if the person has written nothing else since. Idempotent."""
    profile = lock_profiles([user_id]).get(user_id)
    if profile is None or profile.status == Profile.Status.DELETED:
        return
    reset, made = ProfileReset.objects.select_for_update().get_or_create(
        action_id=action_id, defaults={"user_id": user_id, "is_undone": True}
    )
    if made or reset.is_undone:
        return
    back = {name: getattr(reset, name) for name in _RESET_FIELDS if getattr(reset, name) and not getattr(profile, name)}
    ProfileReset.objects.filter(action_id=action_id).update(is_undone=True, **dict.fromkeys(_RESET_FIELDS, ""))
    if back:
        _set_fields(profile, back, is_restored=True)


def _set_fields(profile: Profile, values: dict[str, str], *, is_restored: bool = False) -> None:
    for name, value in values.items():
        setattr(profile, name, value)
    profile.version += 1
    profile.save(update_fields=[*values, "version"])
    publish(ProfileChanged(user_id=profile.user_id, version=profile.version, is_restored=is_restored))


@transactional("users")
def sanction_profile(*, user_id: int, kind: str, at: datetime) -> None:
    """Applies a ban or its end, unless a later decision was applied already. Other kinds change nothing here."""
    if kind not in ("ban", "unban"):
        return
    profile = lock_profiles([user_id]).get(user_id)
    if profile is None or profile.status == Profile.Status.DELETED:
        return
    if profile.sanctioned_at is not None and profile.sanctioned_at >= at:
        return
    profile.sanctioned_at = at
    _set_status(profile, is_banned=kind == "ban")
    profile.save(update_fields=["sanctioned_at", "status", "version"])


@transactional("users")
def set_deactivated(*, user_id: int, is_deactivated: bool, at: datetime) -> None:
    """Hides somebody in the grace period of their deletion, or shows them again; a banned person stays hidden.

    Does nothing if a later decision was applied already.
    """
    profile = lock_profiles([user_id]).get(user_id)
    if profile is None or profile.status == Profile.Status.DELETED:
        return
    if profile.deactivated_at is not None and profile.deactivated_at >= at:
        return
    profile.deactivated, profile.deactivated_at = is_deactivated, at
    _set_status(profile, is_banned=profile.status == Profile.Status.BANNED)
    profile.save(update_fields=["deactivated", "deactivated_at", "status", "version"])


def _set_status(profile: Profile, *, is_banned: bool) -> None:
    """Sets the status of a locked profile and publishes the change; the caller saves it."""
    status = _status(is_banned=is_banned, is_deactivated=profile.deactivated)
    if profile.status != status:
        profile.status = status
        profile.version += 1
        publish(StatusChanged(user_id=profile.user_id, status=status, version=profile.version))


@transactional("users")
def shift_post_counts(additions: Mapping[int, Sequence[int]]) -> None:
    """Adds to people's numbers of posts and public posts; erased people have no counts any more."""
    rows = {(user_id,): numbers for user_id, numbers in additions.items()}
    add(PostCount, additions=rows, key=("user_id",), numbers=("posts", "public_posts"))
    if erased := erased_among(additions):
        PostCount.objects.filter(user_id__in=erased).delete()
