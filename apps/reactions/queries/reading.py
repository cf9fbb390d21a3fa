"""Reads reactions and carries their access rule: who may see the target may see and change reactions to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum

from apps.reactions.models import Reaction, ReactionCount, ReactionType, TargetType
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.contracts.reactions import ReactionCounts, ReactionSummary
from socialapp.contracts.users import Users
from socialapp.core.errors import Malformed, NotFound
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.sql import placeholders, select
from socialapp.http.profile_summary import profile_summary_body
from socialapp.lifecycle.removal import gone_among
from socialapp.rpc.calls import client

REACTION_TYPES: list[str] = list(ReactionType.values)
TARGET_TYPES: list[str] = list(TargetType.values)


@dataclass(frozen=True, slots=True)
class Target:
    """A post or comment that the caller may see. `post_id` is the post itself or the one that the comment is under."""

    type: str
    id: int
    author_id: int
    post_id: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A stored count of reactions of one type to one target that is not the number of rows."""

    target_type: str
    target_id: int
    reaction_type: str
    counted: int
    actual: int


def target_of(reaction: Reaction) -> Target:
    """What a reaction is to."""
    return Target(reaction.target_type, reaction.target_id, reaction.target_author_id, reaction.under_post_id)


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
    return Reaction.objects.filter(**{_column(target_type): target_id})


_SUMMARIES_SQL = (
    "SELECT 0, target_id, reaction_type, SUM(count) FROM reaction_counts"
    " WHERE target_type = %s AND target_id IN ({placeholders}) GROUP BY target_id, reaction_type"
    " UNION ALL SELECT 1, {column}, reaction_type, 1 FROM reactions WHERE user_id = %s AND {column} IN ({placeholders})"
)


def summaries(*, viewer_id: int | None, target_type: str, target_ids: Sequence[int]) -> list[ReactionSummary]:
    """Counts of those of the targets that have reactions, and the viewer's own. One query."""
    if not target_ids:
        return []
    sql = _SUMMARIES_SQL.format(column=_column(target_type), placeholders=placeholders(target_ids))
    counts: dict[int, dict[str, int]] = {}
    mine: dict[int, str] = {}
    for is_mine, target_id, name, count in select(
        Reaction, sql, [target_type, *target_ids, viewer_id or 0, *target_ids]
    ):
        if is_mine:
            mine[target_id] = name
        elif count:
            counts.setdefault(target_id, {})[name] = int(count)
    return [
        ReactionSummary(target_id=target_id, counts=ReactionCounts(**found), mine=mine.get(target_id))
        for target_id, found in counts.items()
    ]


def _sums(target_type: str, target_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """The stored counts by target and reaction type. One query."""
    rows = ReactionCount.objects.filter(target_type=target_type, target_id__in=target_ids)
    summed = rows.values("target_id", "reaction_type").annotate(total=Sum("count"))
    return {(row["target_id"], row["reaction_type"]): row["total"] for row in summed}


def _column(target_type: str) -> str:
    return "post_id" if target_type == TargetType.POST else "comment_id"


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
            **profile_summary_body(cards[reaction.user_id]),
            "reaction_type": reaction.reaction_type,
            "created_at": reaction.created_at,
        }
        for reaction in reactions
        if reaction.user_id in cards
    ]


def targets_in_order(*, target_type: str, after: int, limit: int) -> list[int]:
    """Up to `limit` ids greater than `after`, ascending, of targets of one type that have reactions or counts."""
    column = _column(target_type)
    reacted = Reaction.objects.filter(**{f"{column}__gt": after}).values_list(column, flat=True)
    counted = ReactionCount.objects.filter(target_type=target_type, target_id__gt=after)
    found = {
        *reacted.order_by(column).distinct()[:limit],
        *counted.values_list("target_id", flat=True).order_by("target_id").distinct()[:limit],
    }
    return sorted(found)[:limit]


def recently_changed_targets(*, target_type: str, since: datetime, limit: int) -> list[int]:
    """Up to `limit` targets of one type whose counts changed since then."""
    rows = ReactionCount.objects.filter(target_type=target_type, updated_at__gte=since)
    return list(rows.values_list("target_id", flat=True).order_by("target_id").distinct()[:limit])


def suspect_counts(*, target_type: str, target_ids: Sequence[int]) -> list[tuple[int, str]]:
    """(target, reaction type) pairs whose count differs from the rows at first sight: a writer may just be at work.

    Without targets that are being removed: their counts go before their last rows do.
    """
    gone = gone_among("reactions", target_ids)
    remaining = [target_id for target_id in target_ids if target_id not in gone]
    column = _column(target_type)
    rows = Reaction.objects.filter(**{f"{column}__in": remaining}).values(column, "reaction_type")
    actual = {
        (target_id, reaction_type): number
        for target_id, reaction_type, number in rows.annotate(n=Count("id")).values_list(column, "reaction_type", "n")
    }
    counted = _sums(target_type, remaining)
    return sorted(key for key in actual.keys() | counted.keys() if actual.get(key, 0) != counted.get(key, 0))
