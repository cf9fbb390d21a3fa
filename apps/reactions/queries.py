"""Reads reactions and carries their access rule: who may see the target may see and change reactions to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from apps.reactions.models import GoneSubject, Reaction, ReactionCount, ReactionType, TargetType
from socialapp.api.cards import card_body
from socialapp.api.pagination import Page, PageRequest, paginate
from socialapp.calls import client
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.contracts.reactions import ReactionCounts, ReactionSummary
from socialapp.contracts.users import Users
from socialapp.errors import Malformed, NotFound

REACTION_TYPES: list[str] = list(ReactionType.values)


@dataclass(frozen=True, slots=True)
class Target:
    """A post or comment that the caller may see. `post_id` is the post itself or the one that the comment is under."""

    type: str
    id: int
    author_id: int
    post_id: int


def visible_target(*, viewer_id: int | None, target_type: str, target_id: int) -> Target:
    """The target, if `viewer_id` (None: anonymous) may see it; NotFound otherwise. Calls the target's context."""
    if target_type == TargetType.POST:
        for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[target_id]):
            return Target(TargetType.POST, post.id, post.author_id, post.id)
    else:
        for comment in client(Comments).visible(viewer_id=viewer_id, comment_ids=[target_id]):
            return Target(TargetType.COMMENT, comment.id, comment.author_id, comment.post_id)
    raise NotFound(f"there is no such {target_type} that you may see")


def reactions_to(target_type: str, target_id: int) -> QuerySet[Reaction]:
    """All reactions to one target."""
    if target_type == TargetType.POST:
        return Reaction.objects.filter(post_id=target_id)
    return Reaction.objects.filter(comment_id=target_id)


def summaries(*, viewer_id: int | None, target_type: str, target_ids: Sequence[int]) -> list[ReactionSummary]:
    """Counts of those of the targets that have reactions, and the viewer's own. Two queries, one for the anonymous."""
    rows = ReactionCount.objects.filter(target_type=target_type, target_id__in=target_ids)
    counts: dict[int, dict[str, int]] = {}
    for target_id, reaction_type, count in (
        rows.values("target_id", "reaction_type")
        .annotate(total=Sum("count"))
        .values_list("target_id", "reaction_type", "total")
    ):
        if count:
            counts.setdefault(target_id, {})[reaction_type] = count
    mine = _own_reactions(viewer_id, target_type, target_ids)
    return [
        ReactionSummary(target_id=target_id, counts=ReactionCounts(**found), mine=mine.get(target_id))
        for target_id, found in counts.items()
    ]


def _own_reactions(viewer_id: int | None, target_type: str, target_ids: Sequence[int]) -> dict[int, str]:
    if viewer_id is None:
        return {}
    column = "post_id" if target_type == TargetType.POST else "comment_id"
    rows = Reaction.objects.filter(user_id=viewer_id, **{f"{column}__in": target_ids})
    return dict(rows.values_list(column, "reaction_type"))


def summary_body(*, viewer_id: int | None, target: Target) -> dict[str, Any]:
    """The API's answer to setting or removing a reaction: `{my_reaction, reactions}`."""
    found = summaries(viewer_id=viewer_id, target_type=target.type, target_ids=[target.id])
    counts = found[0].counts if found else ReactionCounts()
    mine = found[0].mine if found else None
    return {"my_reaction": mine, "reactions": {name: getattr(counts, name) for name in ReactionType.values}}


def reaction_page(*, target: Target, reaction_type: str | None, page: PageRequest) -> Page[Reaction]:
    """One page of the reactions to a target, newest first, of one type or of all (None); 400 for an unknown type."""
    rows = reactions_to(target.type, target.id)
    if reaction_type is not None:
        if reaction_type not in ReactionType.values:
            raise Malformed(f"type must be one of {', '.join(ReactionType.values)}", code="type_invalid")
        rows = rows.filter(reaction_type=reaction_type)
    return paginate(rows, page)


def reaction_bodies(*, viewer_id: int | None, reactions: Sequence[Reaction]) -> list[dict[str, Any]]:
    """The reactions as the API shows them, without those of people whom the viewer may not see. One call."""
    if not reactions:
        return []
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=[reaction.user_id for reaction in reactions])
    cards = {author.card.id: author.card for author in audience.authors if author.active and not author.blocked}
    return [
        {
            **card_body(cards[reaction.user_id]),
            "reaction_type": reaction.reaction_type,
            "created_at": reaction.created_at,
        }
        for reaction in reactions
        if reaction.user_id in cards
    ]


def unfinished_removals(*, limit: int) -> list[int]:
    """The ids of gone subjects whose reactions are not all removed yet, oldest first."""
    return list(GoneSubject.objects.filter(done=False).order_by("gone_at").values_list("subject_id", flat=True)[:limit])
