"""Reads comments and carries their access rule: the post is visible, and the author active and not blocked.

A tombstone has no author, so it shows wherever its post does. What is hidden but has replies shows as if it was one,
so that the replies can be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Count

from apps.comments.models import NOT_HIDDEN, Comment, CommentCount, WithdrawnComment
from socialapp.contracts.comments import CommentCount as PostCommentCount
from socialapp.contracts.comments import CommentDocument, CommentRef
from socialapp.contracts.posts import PostRef, Posts
from socialapp.contracts.reactions import ReactionCounts, Reactions, ReactionSummary
from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.errors import Forbidden, Invalid, NotFound, Unavailable
from socialapp.core.ids import id_time
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.principal import Principal
from socialapp.core.sql import placeholders, select
from socialapp.core.text.mentions import find_mentions
from socialapp.http.profile_summary import profile_summary_body
from socialapp.lifecycle.removal import gone_among
from socialapp.rpc.calls import client

log = structlog.get_logger()

MAX_CONTENT = 5000
MAX_DEPTH = 50
MAX_MENTIONS = 50

SORTS: dict[str, tuple[str, ...]] = {"oldest": ("id",), "newest": ("-id",), "top": ("-score", "-id")}


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment about to be written, with all that other contexts had to say about it."""

    post: PostRef
    author: ProfileSummary
    parent: CommentRef | None
    mention_ids: list[int]
    content: str


@dataclass(frozen=True, slots=True)
class EditDraft:
    """A new text for a comment, with those whom it may mention, by their username."""

    comment_id: int
    content: str
    mentioned: dict[str, int]


@dataclass(frozen=True, slots=True)
class Fault:
    """A stored count that is not the number of rows: `what` is comments_count (of a post) or replies_count."""

    what: str
    id: int
    counted: int
    actual: int


def mentioned_names(content: str) -> list[str]:
    """The distinct usernames that a text mentions, lower-case, in order; at most MAX_MENTIONS."""
    return find_mentions(content, limit=MAX_MENTIONS)


def visible_post(*, viewer_id: int | None, post_id: int) -> PostRef:
    """The post, if the viewer may see it; NotFound otherwise."""
    for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[post_id]):
        return post
    raise NotFound("there is no such post that you may see")


def draft_comment(*, author_id: int, post_id: int, parent_comment_id: int | None, content: str) -> Draft:
    """Gathers what a new comment needs. NotFound without a visible post, Invalid for a parent that cannot be answered.

    Mentioned are those who may see the post and have no block with the author. A parent that is absent, deleted,
    elsewhere or not visible is refused in the same words, so nothing is given away.
    """
    post = visible_post(viewer_id=author_id, post_id=post_id)
    parent = _visible_parent(author_id, post_id, parent_comment_id) if parent_comment_id is not None else None
    author, mentioned = _author_and_mentioned(author_id=author_id, post_id=post_id, content=content)
    return Draft(post, author, parent, list(mentioned.values()), content)


def draft_edit(*, author_id: int, comment_id: int, content: str) -> EditDraft:
    """Gathers what a new text of the caller's comment needs. Refusals as for `own_comment`, mentions as for a draft."""
    comment = own_comment(author_id=author_id, comment_id=comment_id)
    mentioned = _author_and_mentioned(author_id=author_id, post_id=comment.post_id, content=content)[1]
    return EditDraft(comment_id, content, mentioned)


def _author_and_mentioned(*, author_id: int, post_id: int, content: str) -> tuple[ProfileSummary, dict[str, int]]:
    """The author, and by username those whom the text may mention; Forbidden when the author may not write."""
    names = mentioned_names(content)
    found = client(Users).by_usernames(usernames=names) if names else []
    may_see = client(Posts).viewers(post_id=post_id, user_ids=[card.id for card in found]) if found else []
    audience = client(Users).audience(viewer_id=author_id, author_ids=sorted({author_id, *may_see}))
    cards = {author.card.id: author.card for author in audience.authors if author.active and not author.blocked}
    if author_id not in cards:
        raise Forbidden("this account may not write comments", code="account_not_active")
    mentioned = {card.username.lower(): card.id for card in found if card.id in cards and card.id in may_see}
    return cards[author_id], mentioned


def _visible_parent(viewer_id: int, post_id: int, parent_comment_id: int) -> CommentRef:
    for parent in visible_refs(viewer_id=viewer_id, comment_ids=[parent_comment_id]):
        if parent.post_id == post_id:
            return parent
    raise no_such_parent()


def no_such_parent() -> Invalid:
    """The refusal of a parent that is absent, deleted, on another post or not visible."""
    return Invalid.of("parent_comment_id", "not_found", "There is no such comment on this post to reply to.")


def visible_refs(*, viewer_id: int | None, comment_ids: Sequence[int]) -> list[CommentRef]:
    """Those of the comments that live and that the viewer may see. One query and two calls."""
    rows = list(
        Comment.objects.filter(id__in=comment_ids, deleted_at=None).only("id", "post_id", "user_id", "created_at")
    )
    if not rows:
        return []
    posts = {post.id for post in client(Posts).visible(viewer_id=viewer_id, post_ids=_distinct_posts(rows))}
    cards = _visible_cards(viewer_id, rows)
    return [
        CommentRef(id=row.id, post_id=row.post_id, author_id=row.user_id, created_at=row.created_at)
        for row in rows
        if row.post_id in posts and row.user_id is not None and row.user_id in cards
    ]


def _distinct_posts(rows: Sequence[Comment]) -> list[int]:
    return sorted({row.post_id for row in rows})


def _visible_cards(viewer_id: int | None, rows: Sequence[Comment]) -> dict[int, ProfileSummary]:
    """The cards of those authors whom the viewer may see."""
    author_ids = sorted({row.user_id for row in rows if row.user_id is not None})
    if not author_ids:
        return {}
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=author_ids)
    return {author.card.id: author.card for author in audience.authors if author.active and not author.blocked}


def visible_comment(*, viewer_id: int | None, comment_id: int) -> Comment:
    """The comment or tombstone, if the viewer may see it; NotFound otherwise."""
    row = Comment.objects.filter(NOT_HIDDEN, id=comment_id).first()
    if row is not None:
        visible = client(Posts).visible(viewer_id=viewer_id, post_ids=[row.post_id])
        if visible and (row.is_tombstone or _visible_cards(viewer_id, [row])):
            return row
    raise _no_such_comment()


def place_in_thread(*, viewer_id: int | None, comment_id: int) -> Comment:
    """The comment, or one with replies that the viewer may see as a tombstone only; NotFound without a visible post."""
    row = Comment.objects.filter(id=comment_id).first()
    if row is not None and row.replies_count:
        if client(Posts).visible(viewer_id=viewer_id, post_ids=[row.post_id]):
            return row
        raise _no_such_comment()
    return visible_comment(viewer_id=viewer_id, comment_id=comment_id)


def _no_such_comment() -> NotFound:
    return NotFound("there is no such comment that you may see")


def own_comment(*, author_id: int, comment_id: int) -> Comment:
    """The comment, if the caller wrote it; Forbidden when somebody else did, NotFound when it cannot be seen."""
    row = visible_comment(viewer_id=author_id, comment_id=comment_id)
    if row.is_tombstone:
        raise _no_such_comment()
    if row.user_id != author_id:
        raise Forbidden("only its author may edit a comment", code="not_author")
    return row


def removable_comment(*, principal: Principal, comment_id: int) -> Comment:
    """The comment, if the caller may delete it: its author, the author of its post, or staff who see it.

    The authors need not see it: after a block one can still take back one's own words, and what others read under
    one's post. Forbidden for others who see it, NotFound for those who do not.
    """
    row = Comment.objects.filter(id=comment_id, deleted_at=None).first()
    if row is None:
        raise _no_such_comment()
    if principal.id == row.user_id or principal.id in _author_of_post(row.post_id):
        return row
    visible_comment(viewer_id=principal.id, comment_id=comment_id)
    if principal.is_staff:
        return row
    raise Forbidden("only its author or the author of the post may delete a comment", code="not_author")


def is_moderation(principal: Principal, comment: Comment) -> bool:
    """Whether a deletion by the caller is one by staff: of what neither they wrote nor stands under their post."""
    return principal.id != comment.user_id and principal.id not in _author_of_post(comment.post_id)


def _author_of_post(post_id: int) -> set[int]:
    return {post.author_id for post in client(Posts).refs(post_ids=[post_id])}


def comment_page(*, post_id: int, parent_comment_id: int | None, sort: str, page: PageRequest) -> Page[Comment]:
    """One page of a post's top-level comments, or of the direct replies to one of them, in one of `SORTS`."""
    rows = Comment.objects.filter(NOT_HIDDEN, post_id=post_id, parent_comment_id=parent_comment_id)
    return paginate(rows, page, order=SORTS[sort])


def _reactions(viewer_id: int | None, comment_ids: list[int]) -> dict[int, ReactionSummary]:
    """Nobody's, while reactions does not answer: comments without counts are better than none."""
    if not comment_ids:
        return {}
    try:
        found = client(Reactions).summaries(viewer_id=viewer_id, target_type="comment", target_ids=comment_ids)
    except Unavailable as error:
        log.warning("comments.reactions_missing", error=str(error))
        return {}
    return {summary.target_id: summary for summary in found}


def comment_bodies(*, viewer_id: int | None, comments: Sequence[Comment]) -> list[dict[str, Any]]:
    """Comments of posts that the viewer may see, as the API shows them. Two calls.

    Those of hidden authors are left out, or look like tombstones where they have replies.
    """
    cards = _visible_cards(viewer_id, comments)
    summaries = _reactions(viewer_id, [row.id for row in comments if row.user_id in cards])
    bodies = []
    for row in comments:
        summary = summaries.get(row.id)
        card = cards.get(row.user_id) if row.user_id is not None else None
        if card is None and not row.is_tombstone:
            if row.replies_count:
                bodies.append(_hidden_body(row))
            continue
        bodies.append(
            comment_body(
                row,
                author=card,
                counts=summary.counts if summary else ReactionCounts(),
                mine=summary.mine if summary else None,
            )
        )
    return bodies


def _hidden_body(comment: Comment) -> dict[str, Any]:
    """A comment of a hidden author: nothing but its place in the thread."""
    body = comment_body(comment, author=None, counts=ReactionCounts(), mine=None)
    return {**body, "content": "", "edited": False, "updated_at": comment.created_at}


def single_body(*, viewer_id: int | None, comment: Comment) -> dict[str, Any]:
    """One comment as the API shows it; NotFound when its author is hidden from the viewer."""
    for body in comment_bodies(viewer_id=viewer_id, comments=[comment]):
        return body
    raise _no_such_comment()


def comment_body(
    comment: Comment, *, author: ProfileSummary | None, counts: ReactionCounts, mine: str | None
) -> dict[str, Any]:
    """The API's comment object."""
    parent_id = comment.parent_comment_id
    return {
        "id": str(comment.id),
        "post_id": str(comment.post_id),
        "parent_comment_id": str(parent_id) if parent_id is not None else None,
        "author": profile_summary_body(author) if author else None,
        "content": comment.content,
        "depth": comment.depth,
        "replies_count": comment.replies_count,
        "reactions": {
            "like": counts.like,
            "love": counts.love,
            "haha": counts.haha,
            "sad": counts.sad,
            "angry": counts.angry,
        },
        "my_reaction": mine,
        "edited": comment.edited,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
    }


def new_comment_body(*, comment: Comment, author: ProfileSummary) -> dict[str, Any]:
    """The API's object of a comment that was just written, so that nobody can have reacted to it."""
    return comment_body(comment, author=author, counts=ReactionCounts(), mine=None)


_COUNTS_SQL = "SELECT post_id, SUM(count) FROM comment_counts WHERE post_id IN ({}) GROUP BY post_id"


def counts(*, post_ids: Sequence[int]) -> list[PostCommentCount]:
    """How many living comments each post has, for those that have some. One query."""
    if not post_ids:
        return []
    rows = select(CommentCount, _COUNTS_SQL.format(placeholders(post_ids)), post_ids)
    return [PostCommentCount(post_id=post_id, count=int(total)) for post_id, total in rows if total]


def documents(*, comment_ids: Sequence[int]) -> list[CommentDocument]:
    """The present form of those of the comments that live."""
    rows = Comment.objects.filter(id__in=comment_ids, deleted_at=None)
    return [
        CommentDocument(
            id=row.id, post_id=row.post_id, author_id=row.user_id, content=row.content, created_at=row.created_at
        )
        for row in rows
        if row.user_id is not None
    ]


def removed(*, comment_ids: Sequence[int]) -> list[CommentDocument]:
    """What those of the comments were that moderators removed and that may come back. One query."""
    rows = WithdrawnComment.objects.filter(comment_id__in=comment_ids)
    return [
        CommentDocument(
            id=row.comment_id,
            post_id=row.post_id,
            author_id=row.user_id,
            content=row.content,
            created_at=id_time(row.comment_id),
        )
        for row in rows
    ]


def posts_in_order(*, after: int, limit: int) -> list[int]:
    """Up to `limit` ids greater than `after`, ascending, of posts that have comments or counts."""
    found: set[int] = set()
    for rows in (Comment.objects.all(), CommentCount.objects.all()):
        ids = rows.filter(post_id__gt=after).values_list("post_id", flat=True).order_by("post_id").distinct()
        found.update(ids[:limit])
    return sorted(found)[:limit]


def recently_changed_posts(*, since: datetime, limit: int) -> list[int]:
    """Up to `limit` posts whose number of comments changed since then."""
    rows = CommentCount.objects.filter(updated_at__gte=since).values_list("post_id", flat=True)
    return list(rows.order_by("post_id").distinct()[:limit])


def suspect_posts(*, post_ids: Sequence[int]) -> list[int]:
    """Those of the posts whose count differs from their rows at first sight: a writer may just be at work."""
    living = Comment.objects.filter(post_id__in=post_ids, deleted_at=None).values("post_id").annotate(n=Count("id"))
    actual = dict(living.values_list("post_id", "n"))
    counted = {count.post_id: count.count for count in counts(post_ids=post_ids)}
    return [post_id for post_id in _not_gone(post_ids) if actual.get(post_id, 0) != counted.get(post_id, 0)]


def suspect_threads(*, post_ids: Sequence[int]) -> list[int]:
    """Those comments of the posts whose `replies_count` differs from the rows under them at first sight."""
    remaining = _not_gone(post_ids)
    replies = Comment.objects.filter(NOT_HIDDEN, post_id__in=remaining, parent_comment__isnull=False)
    actual = dict(replies.values("parent_comment_id").annotate(n=Count("id")).values_list("parent_comment_id", "n"))
    stored = Comment.objects.filter(post_id__in=remaining).exclude(replies_count=0).values_list("id", "replies_count")
    counted = dict(stored)
    return sorted(
        comment_id
        for comment_id in actual.keys() | counted.keys()
        if actual.get(comment_id, 0) != counted.get(comment_id, 0)
    )


def _not_gone(post_ids: Sequence[int]) -> list[int]:
    """Without the posts that are being removed: their counts go before their last rows do."""
    gone = gone_among("comments", post_ids)
    return [post_id for post_id in post_ids if post_id not in gone]
