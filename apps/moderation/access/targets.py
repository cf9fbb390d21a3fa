"""What is reported and checked, as the contexts that own it give it."""

import structlog

from apps.moderation.models import TargetType
from apps.moderation.queries.cases import Target
from apps.moderation.queries.rules import active_word_rules
from socialapp.contracts.comments import CommentDocument, Comments
from socialapp.contracts.posts import PostDocument, Posts, ReviewedMedia
from socialapp.contracts.users import Users
from socialapp.core.errors import Invalid, NotFound, Problem
from socialapp.rpc.calls import client

log = structlog.get_logger()


def target_to_report(*, reporter_id: int, target_type: str, target_id: int) -> Target:
    """What is to be reported, as the reporter may see it: 404 when they may not, 422 when it is their own."""
    author_id = _author_if_visible(reporter_id, target_type, target_id)
    if author_id is None:
        raise NotFound("there is nothing here that you may see")
    if author_id == reporter_id:
        raise Invalid.of("target_id", "own_target", "You cannot report yourself or what you wrote.")
    return Target(target_type, target_id, author_id)


def _author_if_visible(viewer_id: int, target_type: str, target_id: int) -> int | None:
    found: list[int]
    match target_type:
        case TargetType.POST:
            found = [post.author_id for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[target_id])]
        case TargetType.COMMENT:
            comments = client(Comments).visible(viewer_id=viewer_id, comment_ids=[target_id])
            found = [comment.author_id for comment in comments]
        case _:
            cards = client(Users).profiles(ids=[target_id])
            seen = client(Users).profile_bodies(viewer_id=viewer_id, ids=[target_id]) if cards else []
            found = [int(str(body["id"])) for body in seen]
    return found[0] if found else None


def documents_to_check(
    *, post_ids: list[int] | None = None, comment_ids: list[int] | None = None, user_ids: list[int] | None = None
) -> list[tuple[Target, str]]:
    """The present texts of posts, comments and profiles for the word rules; nothing while there are no rules."""
    if not active_word_rules():
        return []
    posts = [
        (Target(TargetType.POST, post.id, post.author_id), post.content) for post in posts_with_ids(post_ids or [])
    ]
    comments = [
        (Target(TargetType.COMMENT, comment.id, comment.author_id), comment.content)
        for comment in comments_with_ids(comment_ids or [])
    ]
    people = client(Users).documents(ids=user_ids) if user_ids else []
    profiles = [
        (
            Target(TargetType.USER, person.card.id, person.card.id),
            "\n".join((person.card.username, person.card.full_name, person.bio)),
        )
        for person in people
        if person.status == "active"
    ]
    return posts + comments + profiles


def posts_with_ids(ids: list[int]) -> list[PostDocument]:
    """The posts that are there; no call without ids."""
    return client(Posts).documents(post_ids=ids) if ids else []


def media_of_post(post_id: int) -> list[ReviewedMedia]:
    """What a post shows, or showed before it was removed; nothing while that cannot be asked. One call."""
    try:
        return client(Posts).reviewed_media(post_ids=[post_id])
    except Problem as problem:
        log.warning("moderation.no_media", error=problem.detail)
        return []


def comments_with_ids(ids: list[int]) -> list[CommentDocument]:
    """The comments that are there; no call without ids."""
    return client(Comments).documents(comment_ids=ids) if ids else []


def removed_texts(*, post_ids: list[int], comment_ids: list[int]) -> dict[int, str]:
    """The texts of what was removed or hidden and may come back. Ids are unique over all contexts."""
    posts = client(Posts).removed(post_ids=post_ids) if post_ids else []
    comments = client(Comments).removed(comment_ids=comment_ids) if comment_ids else []
    return {post.id: post.content for post in posts} | {comment.id: comment.content for comment in comments}
