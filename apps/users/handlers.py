"""Event handlers of users: accounts, sanctions, and the counts of posts."""

from collections import Counter
from collections.abc import Sequence

from apps.users import actions
from socialapp.contracts.auth import (
    Auth,
    User,
    UserDeactivated,
    UserDeleted,
    UserReactivated,
    UserRegistered,
    UserRenamed,
)
from socialapp.contracts.moderation import UserSanctioned
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, PostRemoved, PostRestored
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client


@handles(UserRegistered)
def make_profile(event: UserRegistered) -> None:
    """Creates the profile of a new account, unless it was created when first read."""
    actions.make_profile(
        user_id=event.user_id, username=event.username, full_name=event.full_name, created_at=event.created_at
    )


def _present_account(event: UserRenamed) -> list[User]:
    return client(Auth).users(ids=[event.user_id])


@handles(UserRenamed, gather=_present_account)
def rename_profile(event: UserRenamed, accounts: list[User]) -> None:
    """Adopts the account's present name, so that the order of such events does not matter."""
    for account in accounts:
        actions.make_profile_of(account)
        actions.rename_profile(user_id=account.id, username=account.username)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases everything of the person; acknowledged once nothing is left."""
    begin_removal("users", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)


def _missing_account(event: UserSanctioned | UserDeactivated | UserReactivated) -> list[User]:
    return actions.missing_accounts(ids=[event.user_id])


@handles(UserDeactivated, UserReactivated, gather=_missing_account)
def set_deactivated(event: UserDeactivated | UserReactivated, missing: list[User]) -> None:
    """Hides somebody in the grace period of their deletion, and shows them again if it is cancelled."""
    for user in missing:
        actions.make_profile_of(user)
    is_deactivated = isinstance(event, UserDeactivated)
    actions.set_deactivated(user_id=event.user_id, is_deactivated=is_deactivated, at=event.at)


@handles(UserSanctioned, gather=_missing_account)
def sanction_user(event: UserSanctioned, missing: list[User]) -> None:
    """Applies a moderator's decision about a person, even if its event arrives before the registration's."""
    for user in missing:
        actions.make_profile_of(user)
    match event.kind:
        case "ban" | "unban":
            actions.sanction_profile(user_id=event.user_id, kind=event.kind, at=event.at)
        case kind if kind in actions.RESTRICTIONS:
            actions.restrict_profile(user_id=event.user_id, kind=event.kind, at=event.at)
        case "reset_profile":
            actions.reset_profile(user_id=event.user_id, action_id=event.action_id)
        case "restore_profile" if event.reverses_action_id is not None:
            actions.restore_profile(user_id=event.user_id, action_id=event.reverses_action_id)


@handles(PostCreated, together=True)
def count_post(events: Sequence[PostCreated]) -> None:
    """Counts posts. Counts are sums of the events' additions, so that the order does not matter."""
    posts = Counter(event.author_id for event in events)
    public = Counter(event.author_id for event in events if not event.is_private)
    actions.shift_post_counts({author_id: (number, public[author_id]) for author_id, number in posts.items()})


@handles(PostEdited)
def recount_post(event: PostEdited) -> None:
    """Adjusts the count of public posts if the privacy changed."""
    if event.is_private != event.was_private:
        actions.shift_post_counts({event.author_id: (0, -1 if event.is_private else 1)})


@handles(PostRestored)
def count_restored_post(event: PostRestored) -> None:
    """Counts a restored post again."""
    actions.shift_post_counts({event.author_id: (1, 0 if event.is_private else 1)})


@handles(PostDeleted, PostRemoved)
def uncount_post(event: PostDeleted | PostRemoved) -> None:
    """Subtracts a post; one that was removed before is not subtracted again when it is deleted."""
    if isinstance(event, PostDeleted) and event.was_withdrawn:
        return
    actions.shift_post_counts({event.author_id: (-1, 0 if event.was_private else -1)})
