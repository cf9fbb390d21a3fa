"""The contract of users: profiles and who follows, blocks and mutes whom."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service, within, write


@event("users.profile_changed", subject="user_id")
class ProfileChanged:
    """A profile was made or changed; ask for its present form. `version` rises with every change."""

    user_id: int
    version: int


@event("users.status_changed", subject="user_id")
class StatusChanged:
    """The profile is active, inactive, banned or deleted from now on."""

    user_id: int
    status: str
    version: int


@event("users.followed", subject="following_id", partition="follower_id")
class Followed:
    """`follower_id` follows `following_id` now. `accepted`: a request was accepted (else it took effect at once)."""

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
    """`requester_id` has asked to follow the private account `target_id`."""

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
    """Neither sees anything of the other from now on."""

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
    """What is shown of a person beside what they wrote. `profile_picture` is a URL or ""."""

    id: int
    username: str
    full_name: str
    profile_picture: str


@data
class Author:
    """A person as one viewer may see them.

    `active`: neither banned, inactive nor deleted. `is_private`: the account's posts are for accepted followers.
    `follows`: the viewer follows them. `blocked`: one of the two blocks the other. `muted`: the viewer mutes them.
    `silenced`: only followers come across them. `limited`: they may not write anything.
    `links_limited`, `media_limited`: they may write, but no links or without media.
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


@data
class Audience:
    """`authors` as `viewer` may see them. `following_version` rises whenever the viewer follows or unfollows."""

    following_version: int
    authors: list[Author]


CIRCLE = "circle"  # fragment by person: [following, blocked] as `Circle`


@data
class Circle:
    """Whom a person follows, and whom they block or who blocks them."""

    following: list[int]
    blocked: list[int]


@data
class Following:
    """Whom a person follows; `popular_ids` are those of them with more than POPULAR_FOLLOWERS followers."""

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
        """The summaries of the active people with these names (compared without case)."""
        ...

    @read
    def audience(self, *, viewer_id: int | None, author_ids: list[int]) -> Audience:
        """How `viewer_id` (None: anonymous) may see each author; unknown ids are left out.

        The viewer's own entry has follows=True and blocked=False.
        """
        ...

    @read
    def followers(self, *, user_id: int, after: int, limit: int) -> list[int]:
        """Up to `limit` follower ids greater than `after`, ascending."""
        ...

    @read
    def following(self, *, user_id: int) -> Following:
        """Whom `user_id` follows."""
        ...

    @read
    def popular(self, *, ids: list[int]) -> list[int]:
        """Which of `ids` have more than POPULAR_FOLLOWERS followers: their posts are merged in at read time."""
        ...

    @read
    def circle(self, *, user_id: int) -> Circle:
        """Whom `user_id` follows, and everyone who blocks or is blocked by them."""
        ...

    @read
    def hidden_from(self, *, viewer_id: int) -> list[int]:
        """The latter alone, for those who do not know `circle` yet."""
        ...

    @read
    def muted_by(self, *, user_ids: list[int], muted_id: int) -> list[int]:
        """Which of `user_ids` mute `muted_id`, or block or are blocked by them: they get no notifications.

        Of somebody silenced, those who do not follow them too.
        """
        ...

    @read
    def willing(self, *, pairs: list[tuple[int, int]]) -> list[bool]:
        """Whether the person of each (actor, person) is to be notified of what that actor does.

        Not of an actor who is not active, nor where `muted_by` names the person.
        """
        ...

    @read
    def is_private_since(self, *, user_id: int, moment: datetime) -> bool:
        """Whether the account has been private all the time since `moment`; what it wrote then, only followers read."""
        ...

    @read
    def documents(self, *, ids: list[int]) -> list[ProfileDocument]:
        """The present form of the profiles among `ids`, whatever their status."""
        ...

    @read
    def document_page(self, *, after: int, limit: int) -> list[ProfileDocument]:
        """Profiles with ids greater than `after`, ascending: for building an index."""
        ...

    @read
    def profile_bodies(
        self, *, viewer_id: int | None, ids: list[int], discovering: bool = False
    ) -> list[dict[str, object]]:
        """The API's profile objects, as `viewer_id` may see them, of those among `ids` that may be seen.

        `discovering`: without people who are silenced, unless the viewer follows them.
        """
        ...

    @write
    def fill_profile(self, *, user_id: int, full_name: str, bio: str, is_private: bool) -> None:
        """Gives the profile the name and text that it had elsewhere, where it has none, and makes it private where it
        was; a text that does not fit is left out. Idempotent; NotFound for nobody."""
        ...

    @within(30)
    @write
    def follow_by_name(self, *, user_id: int, usernames: list[str]) -> list[str]:
        """Follows these people, or asks the private ones among them, as far as `user_id` may.

        The names of those who are followed or asked, from before too. Idempotent.
        """
        ...

    @write
    def hide(self, *, user_id: int) -> None:
        """Shows nothing of this person from now on, ahead of the events that erase them. Idempotent."""
        ...
