"""Decides who may react and see reactions: whoever may see the target. Calls the target's context and users."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.reactions.models import Reaction, ReactionType, TargetType
from socialapp.contracts.comments import CommentDocument, CommentRef, Comments
from socialapp.contracts.posts import PostRef, Posts
from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.errors import Malformed, NotFound
from socialapp.rpc.calls import client


@dataclass(frozen=True, slots=True)
class Target:
    """A post or comment. `post_id` is the post itself, or the post of the comment."""

    type: str
    id: int
    author_id: int
    post_id: int


def visible_target(*, viewer_id: int | None, target_type: str, target_id: int) -> Target:
    """The target, if `viewer_id` (None: anonymous) may see it; NotFound otherwise. Calls the target's context."""
    if target_type == TargetType.POST:
        for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[target_id]):
            return target_of_post(post)
    else:
        for comment in client(Comments).visible(viewer_id=viewer_id, comment_ids=[target_id]):
            return target_of_comment(comment)
    raise NotFound(f"there is no such {target_type}, or you may not see it")


def target_of_post(post: PostRef) -> Target:
    """A post as a target."""
    return Target(TargetType.POST, post.id, post.author_id, post.id)


def target_of_comment(comment: CommentRef | CommentDocument) -> Target:
    """A comment as a target."""
    return Target(TargetType.COMMENT, comment.id, comment.author_id, comment.post_id)


def visible_reactors(*, viewer_id: int | None, reactions: Sequence[Reaction]) -> dict[int, ProfileSummary]:
    """The visible people among those who reacted: active, and without a block with the viewer. One call."""
    if not reactions:
        return {}
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=[reaction.user_id for reaction in reactions])
    return {author.card.id: author.card for author in audience.authors if author.active and not author.blocked}


def require_reaction_type(reaction_type: str | None) -> None:
    """Malformed for a filter that is not a type of reaction; None means all types."""
    if reaction_type is not None and reaction_type not in ReactionType.values:
        raise Malformed(f"type must be one of {', '.join(ReactionType.values)}", code="type_invalid")
