"""The single rule of who may see a post, and the loading of posts through it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from apps.posts.queries import PostRow, post_refs, post_rows, removed_author_of
from socialapp.contracts.posts import PostRef, VisiblePosts
from socialapp.contracts.users import Author, ProfileSummary, Users
from socialapp.core.errors import Forbidden, NotFound
from socialapp.rpc.calls import client

_FOLLOWER_BATCH = 5000


class Rule(StrEnum):
    """The rules that decide whether somebody sees a post, in order; the first that applies decides."""

    REMOVED = "removed"
    AUTHOR_NOT_ACTIVE = "author_not_active"
    BLOCKED = "blocked"
    HIDDEN = "hidden"
    OWN = "own"
    FOLLOWER = "follower"
    POST_PRIVATE = "post_private"
    ACCOUNT_PRIVATE = "account_private"
    ACCOUNT_SILENCED = "account_silenced"
    PUBLIC = "public"

    @property
    def shows(self) -> bool:
        """Whether this rule shows the post."""
        return self in _SHOWING


_SHOWING = (Rule.OWN, Rule.FOLLOWER, Rule.PUBLIC)  # not a set, whose lookups would call a Python hash function


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one viewer (None: anonymous) may see of some authors."""

    viewer_id: int | None
    following_version: int
    authors: dict[int, Author]

    def rule(self, *, author_id: int, is_private: bool, hidden: bool = False) -> Rule:
        """The rule: the author is active, neither blocks the other, and private posts are for followers.

        Posts hidden by a moderator are for their author only; posts of a silenced author, for followers.
        """
        author = self.authors.get(author_id)
        if author is None or not author.active:
            return Rule.AUTHOR_NOT_ACTIVE
        if author.blocked:
            return Rule.BLOCKED
        if author_id == self.viewer_id:
            return Rule.OWN
        if hidden:
            return Rule.HIDDEN
        if author.follows:
            return Rule.FOLLOWER
        if is_private:
            return Rule.POST_PRIVATE
        if author.silenced:
            return Rule.ACCOUNT_SILENCED
        return Rule.ACCOUNT_PRIVATE if author.is_private else Rule.PUBLIC

    def may_see(self, *, author_id: int, is_private: bool, hidden: bool = False) -> bool:
        """Whether the viewer sees such a post of the author."""
        return self.rule(author_id=author_id, is_private=is_private, hidden=hidden) in _SHOWING

    def may_see_author(self, author_id: int) -> bool:
        """Whether the viewer may see the author at all."""
        author = self.authors.get(author_id)
        return author is not None and author.active and not author.blocked

    def may_see_private(self, author_id: int) -> bool:
        """Whether the viewer may see the author's private posts: the author and followers may."""
        author = self.authors.get(author_id)
        return author is not None and (author_id == self.viewer_id or author.follows)

    def shows(self, row: PostRow) -> bool:
        """Whether the viewer sees this post."""
        return self.may_see(author_id=row.user_id, is_private=row.is_private, hidden=row.hidden)

    def as_shown(self, row: PostRow) -> PostRow:
        """The post, without mentions of people whom the viewer may not see: those are plain text."""
        return row._replace(mentions=[mention for mention in row.mentions if self.may_see_author(mention[0])])


def is_for_followers(author: Author) -> bool:
    """Whether only followers see the author's posts: by the author's choice, or because a moderator silenced them."""
    return author.is_private or author.silenced


class VisiblePost(NamedTuple):
    """A post that the viewer may see, with its position in the list and the people who reposted it there."""

    position: int
    row: PostRow
    author: Author
    reposted_by: ProfileSummary | None = None

    def as_bookmarked(self) -> "VisiblePost":
        """The post with the viewer's bookmark."""
        return self._replace(row=self.row._replace(bookmarked=True))

    def as_reposted(self) -> "VisiblePost":
        """The post with the viewer's repost."""
        reposts = self.row.reposts if self.row.reposted else self.row.reposts + 1
        return self._replace(row=self.row._replace(reposted=True, reposts=reposts))


def people_in(rows: Collection[PostRow]) -> set[int]:
    """The authors of posts and the people whom they mention."""
    return {row.user_id for row in rows} | {user_id for row in rows for user_id, _ in row.mentions}


def load_visibility(*, viewer_id: int | None, author_ids: Iterable[int]) -> Visibility:
    """What `viewer_id` may see of these authors: one call, whatever their number."""
    wanted = sorted(set(author_ids))
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=wanted)
    return Visibility(viewer_id, audience.following_version, {author.card.id: author for author in audience.authors})


def visible_posts(*, viewer_id: int | None, post_ids: Sequence[int]) -> list[VisiblePost]:
    """Those of the posts that the viewer may see, in the order of `post_ids`. One query and one call."""
    rows = {row.id: row for row in post_rows(post_ids, viewer_id=viewer_id)}
    visibility = load_visibility(viewer_id=viewer_id, author_ids=people_in(rows.values()))
    return [
        VisiblePost(row.id, visibility.as_shown(row) if row.mentions else row, visibility.authors[row.user_id])
        for post_id in post_ids
        if (row := rows.get(post_id)) and visibility.shows(row)
    ]


def visible_refs(*, viewer_id: int | None, post_ids: Sequence[int]) -> list[PostRef]:
    """References to those of the posts that the viewer may see: like `visible_posts`, but without reading texts."""
    return visible_refs_with_people(viewer_id=viewer_id, post_ids=post_ids, people_ids=[]).posts


def visible_refs_with_people(
    *, viewer_id: int | None, post_ids: Sequence[int], people_ids: Sequence[int]
) -> VisiblePosts:
    """Like `visible_refs`, with what the viewer may see of these people. At most one query and one call."""
    refs = post_refs(post_ids)
    if not refs and not people_ids:
        return VisiblePosts(posts=[], people=[])
    visibility = load_visibility(viewer_id=viewer_id, author_ids=[*(ref.author_id for ref in refs), *people_ids])
    return VisiblePosts(
        posts=[
            ref
            for ref in refs
            if visibility.may_see(author_id=ref.author_id, is_private=ref.is_private, hidden=ref.hidden)
        ],
        people=[visibility.authors[user_id] for user_id in people_ids if user_id in visibility.authors],
    )


def visible_post(*, viewer_id: int | None, post_id: int) -> VisiblePost:
    """The post; NotFound if it does not exist or the viewer may not see it."""
    found = visible_posts(viewer_id=viewer_id, post_ids=[post_id])
    if not found:
        raise no_such_post()
    return found[0]


def own_post(*, user_id: int, post_id: int) -> VisiblePost:
    """Somebody's own post as it is stored: with mentions even of people whom they may not see.

    NotFound if it is not visible to them, Forbidden if it is somebody else's. One query and one call.
    """
    for row in post_rows([post_id], viewer_id=user_id):
        visibility = load_visibility(viewer_id=user_id, author_ids=[user_id, row.user_id])
        if not visibility.shows(row):
            break
        if row.user_id != user_id:
            raise not_author()
        return VisiblePost(row.id, row, visibility.authors[user_id])
    raise no_such_post()


def repostable_post(*, viewer_id: int, post_id: int) -> VisiblePost:
    """A post that may be reposted; NotFound if it is not visible, Forbidden if its account is private."""
    post = visible_post(viewer_id=viewer_id, post_id=post_id)
    if is_for_followers(post.author) or post.row.hidden:
        raise Forbidden("a post of a private account cannot be reposted", code="post_private")
    return post


def not_author() -> Forbidden:
    """The error for what only the author of a post may do."""
    return Forbidden("only the author of the post may do this", code="not_author")


def no_such_post() -> NotFound:
    """The error for a post that does not exist or is not visible."""
    return NotFound("there is no such post, or you may not see it")


def visibility_rule(*, viewer_id: int | None, post_id: int) -> Rule:
    """The rule that shows a post to somebody (None: anonymous) or hides it; NotFound if there is no such post.

    Two queries at most, and one call.
    """
    for ref in post_refs([post_id]):
        visibility = load_visibility(viewer_id=viewer_id, author_ids=[ref.author_id])
        return visibility.rule(author_id=ref.author_id, is_private=ref.is_private, hidden=ref.hidden)
    if removed_author_of(post_id) is None:
        raise no_such_post()
    return Rule.REMOVED


def was_for_followers(post: VisiblePost) -> bool:
    """Whether only followers could read the present text, because the account has been private since it was written."""
    if not post.author.is_private:
        return False
    return client(Users).is_private_since(user_id=post.row.user_id, moment=post.row.updated_at)


def viewers_of(*, post_id: int, user_ids: Sequence[int]) -> list[int]:
    """Those of `user_ids` who may see the post; empty if it does not exist."""
    return [
        user_id
        for ref in post_refs([post_id])
        for user_id in viewers_among(author_id=ref.author_id, is_private=ref.is_private, user_ids=user_ids)
        if not ref.hidden or user_id == ref.author_id
    ]


def viewers_among(*, author_id: int, is_private: bool, user_ids: Sequence[int]) -> list[int]:
    """Those of `user_ids` who may see such a post of the author: the rule for one author and many viewers."""
    visibility = load_visibility(viewer_id=author_id, author_ids=[author_id, *user_ids])
    author = visibility.authors.get(author_id)
    if author is None or not author.active:
        return []
    # Blocks are symmetric, so the author's visibility covers them; only follows have a direction.
    reachable = [user_id for user_id in user_ids if visibility.may_see_author(user_id)]
    if not (is_private or is_for_followers(author)):
        return reachable
    followers = _followers_among(author_id=author_id, user_ids=[item for item in reachable if item != author_id])
    return [user_id for user_id in reachable if user_id == author_id or user_id in followers]


def _followers_among(*, author_id: int, user_ids: Sequence[int]) -> set[int]:
    """Which of `user_ids` follow the author: one call for every 5,000 followers in their range of ids, mostly one."""
    wanted = sorted(user_ids)
    found: set[int] = set()
    while wanted:
        page = client(Users).followers(user_id=author_id, after=wanted[0] - 1, limit=_FOLLOWER_BATCH)
        found.update(page)
        wanted = [user_id for user_id in wanted if user_id > page[-1]] if len(page) == _FOLLOWER_BATCH else []
    return found.intersection(user_ids)
