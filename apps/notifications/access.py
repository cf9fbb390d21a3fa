"""Decides who may see and receive notifications, and gathers what that needs from other contexts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from apps.notifications import queries
from apps.notifications.models import Kind, Notification, Target
from apps.notifications.queries import Listed
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.contracts.reactions import ReactionCounts, Reactions
from socialapp.contracts.users import Author, ProfileSummary, Users
from socialapp.rpc.calls import client

# Older activity notifies nobody: it was imported, or delayed by a long outage.
MAX_EVENT_AGE = timedelta(days=1)

# At most this many of the newest unread notifications are checked for visibility when they are counted.
_MAX_CHECKED_UNREAD = 100


@dataclass(frozen=True, slots=True)
class UnreadCount:
    """A person's unread notifications: the visible ones, and how many more are hidden at present."""

    count: int
    hidden: int


@dataclass(slots=True)
class Visibility:
    """What one person may see of some notifications: the people in them, and the posts and comments."""

    people: dict[int, Author] = field(default_factory=dict)
    targets: set[int] = field(default_factory=set)
    actors: dict[int, list[int]] = field(default_factory=dict)  # notification → its newest actors, newest first
    _profiles: dict[int, list[ProfileSummary]] = field(default_factory=dict)  # notification → those that are shown

    def shows(self, row: Listed) -> bool:
        """The rule: the target is visible now, and at least one of the actors is active and not blocked.

        Notices from moderation are always shown, as they may be about a removed post.
        """
        if row.kind == Kind.MODERATION:
            return True
        if row.target_type in (Target.POST, Target.COMMENT) and row.target_id not in self.targets:
            return False
        return bool(self.profiles(row))

    def profiles(self, row: Listed) -> list[ProfileSummary]:
        """The newest visible actors, newest first."""
        found = self._profiles.get(row.id)
        if found is None:
            people = [self.people.get(actor) for actor in self.actors.get(row.id, [])]
            found = [person.card for person in people if person and person.active and not person.blocked]
            self._profiles[row.id] = found
        return found

    def actors_count(self, row: Listed) -> int:
        """The number of actors, without those who are not visible."""
        shown = len(self.profiles(row))
        return max(row.actors_count - (len(self.actors.get(row.id, [])) - shown), shown)


def load_visibility(*, user_id: int, rows: Sequence[Listed]) -> Visibility:
    """What `user_id` may see of these notifications now. One query, and one call each to posts and comments."""
    visibility = Visibility(actors=queries.newest_actors(rows))
    people = sorted({actor for actors in visibility.actors.values() for actor in actors})
    posts, comments = (
        queries.target_ids(rows=rows, target=Target.POST),
        queries.target_ids(rows=rows, target=Target.COMMENT),
    )
    if people and not posts:
        audience = client(Users).audience(viewer_id=user_id, author_ids=people)
        visibility.people = {author.card.id: author for author in audience.authors}
    elif posts:
        seen = client(Posts).visible_with_people(viewer_id=user_id, post_ids=posts, people_ids=people)
        visibility.people = {author.card.id: author for author in seen.people}
        visibility.targets.update(post.id for post in seen.posts)
    if comments:
        found = client(Comments).visible(viewer_id=user_id, comment_ids=comments)
        visibility.targets.update(comment.id for comment in found)
    return visibility


def load_visibility_to_send(*, user_id: int, rows: Sequence[Notification]) -> Visibility:
    """Like `load_visibility`, without what would not notify them any more: people muted, or silenced and not followed,
    and posts whose conversation is muted. At most one more call to posts."""
    visibility = load_visibility(user_id=user_id, rows=rows)
    visibility.people = {
        person.card.id: person
        for person in visibility.people.values()
        if not person.muted and (person.follows or not person.silenced)
    }
    muted = _muted({(row.post_id, user_id) for row in rows if row.post_id is not None})
    visibility.targets.difference_update(
        row.target_id for row in rows if row.target_id is not None and (row.post_id, user_id) in muted
    )
    return visibility


def unread_count(*, user_id: int) -> UnreadCount:
    """The number of unread notifications, without those hidden now. No call for people who have read everything.

    Counted from the index rather than cached: a cached count is wrong whenever somebody else's privacy changes.
    Only the newest hundred are checked; people with more unread may see a number that is a little too high.
    """
    newest = queries.newest_unread(user_id=user_id, limit=_MAX_CHECKED_UNREAD + 1)
    if not newest:
        return UnreadCount(0, 0)
    total = len(newest) if len(newest) <= _MAX_CHECKED_UNREAD else queries.unread_number(user_id=user_id)
    checked = newest[:_MAX_CHECKED_UNREAD]
    visibility = load_visibility(user_id=user_id, rows=checked)
    hidden = sum(not visibility.shows(row) for row in checked)
    return UnreadCount(total - hidden, hidden)


def active_among(user_ids: Iterable[int]) -> set[int]:
    """Those of the people whose accounts are neither banned, deactivated nor deleted. One call to users."""
    return {person.id for person in client(Users).profiles(ids=sorted(user_ids))}


def is_outdated(at: datetime) -> bool:
    """Whether an activity at `at` is too old to notify anybody."""
    return at < datetime.now(UTC) - MAX_EVENT_AGE


def recipients(*, actor_id: int, user_ids: Iterable[int], at: datetime | None) -> set[int]:
    """Those of the people who may be notified of this actor: active, not muted, and without a block between the two.

    Empty if it happened (`at`; None is now) too long ago. One call to users.
    """
    wanted = sorted(user_ids)
    are_willing = recipients_of_each([(actor_id, user_id, at) for user_id in wanted])
    return {user_id for user_id, is_willing in zip(wanted, are_willing, strict=True) if is_willing}


def recipients_of_each(activities: Sequence[tuple[int, int, datetime | None]]) -> list[bool]:
    """Like `recipients`, for each (actor, person, time). One call to users, however many."""
    asked = [
        (actor, person) for actor, person, at in activities if actor != person and (at is None or not is_outdated(at))
    ]
    if not asked:
        return [False] * len(activities)
    pairs = sorted(set(asked))
    answers = client(Users).willing(pairs=pairs)
    willing = {pair for pair, is_willing in zip(pairs, answers, strict=True) if is_willing}
    return [(actor, person) in willing and (at is None or not is_outdated(at)) for actor, person, at in activities]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostActivity:
    """An activity of `actor_id` at `at` (None: now) on a post, with its potential recipients."""

    post_id: int
    actor_id: int
    user_ids: Collection[int]
    at: datetime | None


def recipients_of_posts(activities: Sequence[PostActivity]) -> list[set[int]]:
    """Those of each activity's recipients who may be notified of it and have not muted the post.

    One call to users and one to posts, which is asked because events of a mute may arrive after the activity.
    """
    each = [(one.actor_id, user_id, one.at) for one in activities for user_id in one.user_ids]
    answers = iter(recipients_of_each(each))
    willing = [{user_id for user_id in one.user_ids if next(answers)} for one in activities]
    muted = _muted(
        {(one.post_id, user_id) for one, found in zip(activities, willing, strict=True) for user_id in found}
    )
    return [
        {user_id for user_id in found if (one.post_id, user_id) not in muted}
        for one, found in zip(activities, willing, strict=True)
    ]


def _muted(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the (post, person) pairs whose person muted the post. One call at most."""
    asked = sorted(pairs)
    answers = client(Posts).muted(pairs=asked) if asked else []
    return {pair for pair, is_muted in zip(asked, answers, strict=True) if is_muted}


def recipients_seeing_posts(activities: Sequence[PostActivity]) -> list[set[int]]:
    """Like `recipients_of_posts`, if they may also see the post: one more call to posts per post."""
    willing = recipients_of_posts(activities)
    by_post: dict[int, set[int]] = defaultdict(set)
    for one, found in zip(activities, willing, strict=True):
        by_post[one.post_id] |= found
    readers = readers_of({post_id: found for post_id, found in by_post.items() if found})
    return [found & readers.get(one.post_id, set()) for one, found in zip(activities, willing, strict=True)]


def recipients_seeing_post(*, post_id: int, actor_id: int, user_ids: Collection[int], at: datetime | None) -> set[int]:
    """Like `recipients_seeing_posts`, for one activity."""
    return recipients_seeing_posts([PostActivity(post_id=post_id, actor_id=actor_id, user_ids=user_ids, at=at)])[0]


def load_visibility_of_new_posts(rows: Sequence[Notification]) -> dict[int, Visibility]:
    """What the recipients of new-post notifications may see, by notification; hidden ones are omitted.

    Like `load_visibility`, but by author and post instead of by recipient: three calls per post, for all followers.
    """
    by_post: dict[tuple[int, int], list[Notification]] = defaultdict(list)
    for row in rows:
        if row.actor_id is not None and row.target_id is not None:
            by_post[(row.actor_id, row.target_id)].append(row)
    found: dict[int, Visibility] = {}
    for (author_id, post_id), mine in by_post.items():
        readers = recipients_seeing_post(
            post_id=post_id, actor_id=author_id, user_ids=[row.user_id for row in mine], at=None
        )
        profiles = client(Users).profiles(ids=[author_id]) if readers else []
        for row in mine:
            if row.user_id in readers and profiles:
                found[row.id] = _visible_post(row, profiles[0])
    return found


def _visible_post(row: Notification, author: ProfileSummary) -> Visibility:
    seen = Author(card=author, active=True, is_private=False, follows=True, blocked=False, muted=False)
    return Visibility(people={author.id: seen}, targets={row.target_id or 0}, actors={row.id: [author.id]})


# --- Open pages -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PostCounts:
    """The counts of a post."""

    comments: int
    reactions: dict[str, int]
    reposts: int


def readers_of(people_by_post: Mapping[int, Iterable[int]]) -> dict[int, set[int]]:
    """Those of the people who may see each post now; posts visible to none of them are omitted. One call per post."""
    found = {
        post_id: set(client(Posts).viewers(post_id=post_id, user_ids=sorted(people)))
        for post_id, people in people_by_post.items()
    }
    return {post_id: readers for post_id, readers in found.items() if readers}


def late_readers_of(readers: Mapping[int, Iterable[int]]) -> dict[int, set[int]]:
    """Those of the posts' readers whose home feeds do not show them yet. One call per post."""
    return {
        post_id: set(client(Posts).feeds_without(post_id=post_id, user_ids=sorted(people)))
        for post_id, people in readers.items()
    }


def post_counts(post_ids: Sequence[int]) -> dict[int, PostCounts]:
    """The counts of the posts. Three calls, however many."""
    wanted = list(post_ids)
    if not wanted:
        return {}
    comments = {count.post_id: count.count for count in client(Comments).counts(post_ids=wanted)}
    reposts = {number.post_id: number.reposts for number in client(Posts).reposts(post_ids=wanted)}
    summaries = client(Reactions).summaries(viewer_id=None, target_type="post", target_ids=wanted)
    reactions = {summary.target_id: asdict(summary.counts) for summary in summaries}
    return {
        post_id: PostCounts(
            comments.get(post_id, 0), reactions.get(post_id) or asdict(ReactionCounts()), reposts.get(post_id, 0)
        )
        for post_id in wanted
    }
