"""The contract of users: profiles, follows, blocks and mutes."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service, within, write


@event("users.profile_changed", subject="user_id")
class ProfileChanged:
    """A profile was created or changed; fetch its present document. `version` increases with every change.

    `is_restored`: a moderator put back what had been reset, so rules do not judge it again.
    """

    user_id: int
    version: int
    is_restored: bool = False


@event("users.status_changed", subject="user_id")
class StatusChanged:
    """The profile is active, inactive, banned or deleted from now on."""

    user_id: int
    status: str
    version: int


@event("users.followed", subject="following_id", partition="follower_id")
class Followed:
    """`follower_id` follows `following_id` now. `accepted`: after a request (otherwise at once)."""

    follower_id: int
    following_id: int
    accepted: bool
    at: datetime


@event("users.unfollowed", subject="following_id", partition="follower_id")
class Unfollowed:
    """`follower_id` no longer follows `following_id`."""

    follower_id: int
    following_id: int
    at: datetime


@event("users.follow_requested", subject="target_id", partition="requester_id")
class FollowRequested:
    """`requester_id` has requested to follow the private account `target_id`."""

    requester_id: int
    target_id: int
    at: datetime


@event("users.follow_request_withdrawn", subject="target_id", partition="requester_id")
class FollowRequestWithdrawn:
    """The request ended: withdrawn or rejected. `at` orders it with requests of the same two."""

    requester_id: int
    target_id: int
    at: datetime | None = None


@event("users.blocked", subject="blocked_id", partition="blocker_id")
class Blocked:
    """The two no longer see anything of each other."""

    blocker_id: int
    blocked_id: int


@event("users.unblocked", subject="blocked_id", partition="blocker_id")
class Unblocked:
    """The block ended."""

    blocker_id: int
    blocked_id: int


@event("users.muted", subject="muted_id", partition="muter_id")
class Muted:
    """`muter_id` no longer wants posts in the feed or notifications from `muted_id`."""

    muter_id: int
    muted_id: int


@event("users.unmuted", subject="muted_id", partition="muter_id")
class Unmuted:
    """The mute ended."""

    muter_id: int
    muted_id: int


@data
class ProfileSummary:
    """A person as shown beside what they wrote. `profile_picture` is a URL or ""."""

    id: int
    username: str
    full_name: str
    profile_picture: str


@data
class Author:
    """A person as one viewer may see them.

    `active`: neither banned, inactive nor deleted. `is_private`: the account's posts are for accepted followers.
    `follows`: the viewer follows them. `blocked`: one of the two blocks the other. `muted`: the viewer mutes them.
    `silenced`: only followers find them. `limited`: they may not write anything.
    `links_limited`, `media_limited`: they may write, but no links or without media.
    `is_discoverable`: they have not opted out of being shown to people who do not look for them.
    """

    card: ProfileSummary
    active: bool
    is_private: bool
    follows: bool
    blocked: bool
    muted: bool
    silenced: bool = False
    limited: bool = False
    links_limited: bool = False
    media_limited: bool = False
    is_discoverable: bool = True


@data
class Audience:
    """`authors` as `viewer` may see them. `following_version` increases whenever the viewer follows or unfollows."""

    following_version: int
    authors: list[Author]


CIRCLE = "circle"  # fragment by person: [following, blocked] as `Circle`


@data
class Circle:
    """The people a person follows, and those whom they block or who block them."""

    following: list[int]
    blocked: list[int]


@data
class Following:
    """The people a person follows; `popular_ids` are those of them with more than POPULAR_FOLLOWERS followers."""

    version: int
    ids: list[int]
    popular_ids: list[int]


@data
class ProfileDocument:
    """A profile for the search index and moderation; `status` as in StatusChanged."""

    card: ProfileSummary
    bio: str
    status: str
    is_private: bool
    followers_count: int
    version: int
    created_at: datetime
    silenced: bool = False
    limited: bool = False
    links_limited: bool = False
    media_limited: bool = False


@service("users")
class Users(Protocol):
    """Served by users."""

    @read
    def profile(self, *, user_id: int) -> ProfileSummary:
        """The summary of an active person; NotFound otherwise."""
        ...

    @read
    def profiles(self, *, ids: list[int]) -> list[ProfileSummary]:
        """The summaries of those among `ids` who are active, in any order."""
        ...

    @read
    def by_usernames(self, *, usernames: list[str]) -> list[ProfileSummary]:
        """The summaries of the active people with these names (ignoring case)."""
        ...

    @read
    def audience(self, *, viewer_id: int | None, author_ids: list[int]) -> Audience:
        """What `viewer_id` (None: anonymous) may see of each author; unknown ids are omitted.

        The viewer's own entry has follows=True and blocked=False.
        """
        ...

    @read
    def followers(self, *, user_id: int, after: int, limit: int) -> list[int]:
        """Up to `limit` follower ids greater than `after`, ascending."""
        ...

    @read
    def following(self, *, user_id: int) -> Following:
        """The people `user_id` follows."""
        ...

    @read
    def popular(self, *, ids: list[int]) -> list[int]:
        """Those of `ids` with more than POPULAR_FOLLOWERS followers: their posts are merged into feeds at reading."""
        ...

    @read
    def circle(self, *, user_id: int) -> Circle:
        """The people `user_id` follows, and everyone who blocks them or is blocked by them."""
        ...

    @read
    def hidden_from(self, *, viewer_id: int) -> list[int]:
        """The blocked part of `circle`, for releases without it."""
        ...

    @read
    def muted_by(self, *, user_ids: list[int], muted_id: int) -> list[int]:
        """Those of `user_ids` who mute or block `muted_id`, or are blocked by them: they get no notifications.

        If `muted_id` is silenced, also those who do not follow them.
        """
        ...

    @read
    def willing(self, *, pairs: list[tuple[int, int]]) -> list[bool]:
        """For each (actor, person), whether the person is to be notified of the actor's activity.

        Not if the actor is inactive, or `muted_by` includes the person.
        """
        ...

    @read
    def is_private_since(self, *, user_id: int, moment: datetime) -> bool:
        """Whether the account has been private ever since `moment`, so that only followers read what it wrote then."""
        ...

    @read
    def documents(self, *, ids: list[int]) -> list[ProfileDocument]:
        """The present documents of the profiles among `ids`, whatever their status."""
        ...

    @read
    def document_page(self, *, after: int, limit: int) -> list[ProfileDocument]:
        """Profiles with ids greater than `after`, ascending, for building an index."""
        ...

    @read
    def profile_bodies(
        self, *, viewer_id: int | None, ids: list[int], discovering: bool = False
    ) -> list[dict[str, object]]:
        """The API's profile objects for `viewer_id`, of those among `ids` that they may see.

        `discovering`: without people who are silenced, unless the viewer follows them.
        """
        ...

    @write
    def fill_profile(
        self, *, user_id: int, full_name: str, bio: str, is_private: bool, is_discoverable: bool = True
    ) -> None:
        """Fills the profile's empty name and bio from another installation, and makes it private, or not discoverable,
        if it was; texts that are not valid are skipped. Idempotent; NotFound for an unknown id."""
        ...

    @within(30)
    @write
    def follow_by_name(self, *, user_id: int, usernames: list[str]) -> list[str]:
        """Follows these people, or sends requests to private ones, as far as `user_id` may.

        Returns the names of people followed or requested, also earlier. Idempotent.
        """
        ...

    @write
    def hide(self, *, user_id: int, deactivated_at: datetime | None = None) -> None:
        """Hides this person for good, ahead of the event that says so. Idempotent.

        With `deactivated_at`, which only the previous release sends, it is `deactivate` at that time.
        """
        ...

    @write
    def deactivate(self, *, user_id: int, at: datetime) -> None:
        """Hides this person, ahead of the event that says so, until their deletion is cancelled. Idempotent.

        `at`: the time of that event, the beginning of the deletion's grace period.
        """
        ...
