"""Imports the archive of another installation into an account: its profile, and whom it followed."""

from typing import Any

from apps.users.actions.follows import follow
from apps.users.actions.profiles import ensure_named_profiles, update_profile, with_profiles
from apps.users.models import Profile
from apps.users.queries import summaries_by_username
from socialapp.core.errors import NotFound, Problem
from socialapp.core.text.visible import has_control_characters

_MAX_FULL_NAME, _MAX_BIO = 100, 500


def fill_profile(*, user_id: int, full_name: str, bio: str, is_private: bool, is_discoverable: bool) -> None:
    """Fills empty fields, and makes the profile private, or not discoverable, if it was. Idempotent; NotFound for an
    unknown id."""
    choices: dict[str, Any] = {}
    if is_private:
        choices["is_private"] = True
    if not is_discoverable:
        choices["is_discoverable"] = False
    with_profiles(ids=[user_id], call=lambda: _fill(user_id, full_name=full_name, bio=bio, choices=choices))


def _fill(user_id: int, *, full_name: str, bio: str, choices: dict[str, Any]) -> None:
    profile = Profile.objects.filter(user_id=user_id).first()
    if profile is None:
        raise NotFound("there is no such profile")
    changes = dict(choices)
    if not profile.full_name and _fits(full_name, length=_MAX_FULL_NAME, multiline=False):
        changes["full_name"] = full_name
    if not profile.bio and _fits(bio, length=_MAX_BIO, multiline=True):
        changes["bio"] = bio
    update_profile(user_id=user_id, changes=changes, expected_versions=None)


def _fits(text: str, *, length: int, multiline: bool) -> bool:
    return len(text) <= length and not has_control_characters(text, multiline=multiline)


def follow_by_name(*, user_id: int, usernames: list[str]) -> list[str]:
    """Follows those of the people who exist here and may be followed; returns their names. Idempotent."""
    ensure_named_profiles(usernames=usernames)
    followed = []
    for person in summaries_by_username(usernames):
        try:
            follow(follower_id=user_id, target_id=person.id)
        except Problem:
            continue  # unknown, blocked, oneself, or over the limit
        followed.append(person.username)
    return followed
