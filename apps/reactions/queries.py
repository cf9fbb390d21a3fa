"""SQL of reactions: rows in, rows out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, QuerySet, Sum

from apps.reactions.models import Reaction, ReactionCount, ReactionType, TargetType
from socialapp.contracts.reactions import OwnReactions, PostReactions, ReactionCounts, ReactionSummary
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.sql import fetch, for_update, placeholders, select
from socialapp.lifecycle.removal import deleted_among, tombstones_sql

REACTION_TYPES: list[str] = list(ReactionType.values)
TARGET_TYPES: list[str] = list(TargetType.values)
_OWN_REACTIONS = 100

_COUNTS_SQL = (
    "SELECT 0, target_id, reaction_type, SUM(count) FROM reaction_counts"
    " WHERE target_type = %s AND target_id IN ({placeholders}) GROUP BY target_id, reaction_type"
)
_OWN_AMONG_SQL = (
    "SELECT 1, {column}, reaction_type, 1 FROM reactions WHERE user_id = %s AND {column} IN ({placeholders})"
)
_OWN_SQL = (
    "SELECT 1, own.post_id, own.reaction_type, 1 FROM (SELECT post_id, reaction_type FROM reactions"
    " WHERE user_id = %s AND post_id IS NOT NULL ORDER BY post_id DESC LIMIT %s) AS own"
)


def _column(target_type: str) -> str:
    return "post_id" if target_type == TargetType.POST else "comment_id"


# --- Reactions ----------------------------------------------------------------------------------------------------


def reactions_to(*, target_type: str, target_id: int) -> QuerySet[Reaction]:
    """All reactions to one target."""
    return Reaction.objects.filter(**{_column(target_type): target_id})


def reaction_page(*, target_type: str, target_id: int, reaction_type: str | None, page: PageRequest) -> Page[Reaction]:
    """One page of the reactions to a target, newest first, of one type or of all (None). One query."""
    rows = reactions_to(target_type=target_type, target_id=target_id)
    return paginate(rows if reaction_type is None else rows.filter(reaction_type=reaction_type), page=page)


def reactions_after(*, after: int, limit: int) -> list[Reaction]:
    """Up to `limit` reactions with ids above `after`, ascending. One query."""
    return list(Reaction.objects.filter(id__gt=after).order_by("id")[:limit])


def targets_with_reactions(*, target_type: str, target_ids: Iterable[int]) -> set[int]:
    """Those of the targets that have reactions. One query."""
    column = _column(target_type)
    rows = Reaction.objects.filter(**{f"{column}__in": list(target_ids)}).order_by(column)
    return set(rows.values_list(column, flat=True).distinct())


def users_with_reactions(user_ids: Iterable[int]) -> set[int]:
    """Those of the people who have reacted to something. One query."""
    rows = Reaction.objects.filter(user_id__in=list(user_ids)).order_by("user_id")
    return set(rows.values_list("user_id", flat=True).distinct())


# --- Counts -------------------------------------------------------------------------------------------------------


def summaries(*, viewer_id: int | None, target_type: str, target_ids: Sequence[int]) -> list[ReactionSummary]:
    """The counts of those of the targets that have reactions, and the viewer's own reactions. One query."""
    if not target_ids:
        return []
    sql = f"{_COUNTS_SQL} UNION ALL {_OWN_AMONG_SQL}".format(
        column=_column(target_type), placeholders=placeholders(target_ids)
    )
    counts: dict[int, dict[str, int]] = {}
    mine: dict[int, str] = {}
    for is_mine, target_id, name, count in select(
        Reaction, sql=sql, values=[target_type, *target_ids, viewer_id or 0, *target_ids]
    ):
        if is_mine:
            mine[target_id] = name
        elif count:
            counts.setdefault(target_id, {})[name] = int(count)
    return [_summary(target_id, found, mine.get(target_id)) for target_id, found in counts.items()]


def reactions_to_posts(*, post_ids: Sequence[int], user_id: int | None) -> PostReactions:
    """The counts of those of the posts that have reactions, and a person's reactions to the newest hundred posts that
    they reacted to. One query, answered from indexes."""
    parts, values = [], list[str | int]()
    if post_ids:
        parts.append(_COUNTS_SQL.format(placeholders=placeholders(post_ids)))
        values += [TargetType.POST, *post_ids]
    if user_id is not None:
        parts.append(_OWN_SQL)
        values += [user_id, _OWN_REACTIONS]
    if not parts:
        return PostReactions(posts=[], own=None)
    counts: dict[int, dict[str, int]] = {}
    own: dict[int, str] = {}
    for is_own, post_id, name, count in select(Reaction, sql=" UNION ALL ".join(parts), values=values):
        if is_own:
            own[post_id] = name
        elif count:
            counts.setdefault(post_id, {})[name] = int(count)
    floor = min(own) - 1 if len(own) == _OWN_REACTIONS else 0
    return PostReactions(
        posts=[_summary(post_id, found, None) for post_id, found in counts.items()],
        own=None if user_id is None else OwnReactions(floor=floor, types=own),
    )


def _summary(target_id: int, counts: Mapping[str, int], mine: str | None) -> ReactionSummary:
    return ReactionSummary(target_id=target_id, counts=ReactionCounts(**counts), mine=mine)


def summary(*, viewer_id: int | None, target_type: str, target_id: int) -> ReactionSummary:
    """The counts of one target, zero if it has no reactions, and the viewer's own reaction. One query."""
    found = summaries(viewer_id=viewer_id, target_type=target_type, target_ids=[target_id])
    return found[0] if found else ReactionSummary(target_id=target_id, counts=ReactionCounts(), mine=None)


def counts_unless_deleted(*, target_type: str, target_id: int, user_id: int) -> ReactionCounts | None:
    """The counts of one target; None if it or the person was deleted: see `refuse_if_deleted`. One query."""
    ids = [target_id, user_id]
    gone = tombstones_sql("reactions", ids=ids, lock=True)
    counts = _COUNTS_SQL.format(placeholders="%s")
    sql = f"{counts} UNION ALL SELECT 1, gone.subject_id, NULL, 0 FROM ({gone}) AS gone"  # noqa: S608 (ours only)
    rows = fetch("reactions", sql=sql, values=[target_type, target_id, *ids])
    if any(is_gone for is_gone, *_ in rows):
        return None
    return ReactionCounts(**{name: int(count) for _, _, name, count in rows if count})


class OwnReaction(NamedTuple):
    """One person's reaction to one target."""

    id: int
    reaction_type: str


def own_reaction(*, user_id: int, target_type: str, target_id: int) -> OwnReaction | None:
    """A person's reaction to a target, locked until the transaction ends. One query."""
    sql = (
        f"SELECT id, reaction_type FROM reactions WHERE user_id = %s AND {_column(target_type)} = %s"  # noqa: S608
        f"{for_update('reactions')}"
    )
    rows = fetch("reactions", sql=sql, values=[user_id, target_id])
    return OwnReaction(*rows[0]) if rows else None


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
    """(target, reaction type) pairs whose count seems to differ from the rows; read without locks.

    Without targets that are being deleted: their counts are deleted before their last rows.
    """
    gone = deleted_among("reactions", ids=target_ids)
    remaining = [target_id for target_id in target_ids if target_id not in gone]
    column = _column(target_type)
    rows = Reaction.objects.filter(**{f"{column}__in": remaining}).values(column, "reaction_type")
    actual = {
        (target_id, reaction_type): number
        for target_id, reaction_type, number in rows.annotate(n=Count("id")).values_list(column, "reaction_type", "n")
    }
    counted = _stored_counts(target_type, remaining)
    return sorted(key for key in actual.keys() | counted.keys() if actual.get(key, 0) != counted.get(key, 0))


def _stored_counts(target_type: str, target_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """The stored counts by target and reaction type. One query."""
    rows = ReactionCount.objects.filter(target_type=target_type, target_id__in=target_ids)
    summed = rows.values("target_id", "reaction_type").annotate(total=Sum("count"))
    return {(row["target_id"], row["reaction_type"]): row["total"] for row in summed}
