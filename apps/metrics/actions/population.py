"""Fills the tables of metrics with a generated population: post authors, and the roll-ups that its events would
produce.

Hourly roll-ups only within their retention.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count, groupby

from apps.metrics.actions.rollups import HOURS_KEPT
from apps.metrics.models import AuthorRollup, OverallRollup, Post, PostRollup, Rollup
from socialapp.contracts.bulk import Population
from socialapp.core.table_fill import Row, fill_table
from socialapp.demo.filling import fillable
from socialapp.demo.population import (
    DAY_MS,
    HOUR_MS,
    answer_times,
    answers,
    first_id,
    followed_ms,
    followers_counts,
    joined_ms,
    moment_text,
    person_ids,
    posts,
)

_HOUR, _DAY = Rollup.Period.HOUR.value, Rollup.Period.DAY.value


def _kept_from(population: Population) -> int:
    """The earliest moment for which hourly roll-ups are retained."""
    return population.until_ms - int(HOURS_KEPT.total_seconds() * 1000)


def _fill_posts(population: Population) -> int:
    ids = person_ids(population)
    rows = ((post.id, ids[post.author]) for post in posts(population))
    return fill_table(Post, columns=("id", "author_id"), rows=rows)


def _fill_post_rollups(population: Population) -> int:
    columns = ("id", "post_id", "period", "start", "comments", "reactions")
    return fill_table(PostRollup, columns=columns, rows=_post_rollups(population))


def _post_rollups(population: Population) -> Iterator[Row]:
    ids, kept_from = count(first_id(population)), _kept_from(population)
    for post, comments, reactions in answers(population):
        engaged = [(comment.at_ms, 0) for comment in comments]
        engaged += [(reaction.at_ms, 1) for reaction in reactions if reaction.comment is None]
        for period, length in ((_DAY, DAY_MS), (_HOUR, HOUR_MS)):
            found: dict[int, list[int]] = {}
            for at_ms, kind in engaged:
                if period == _DAY or at_ms >= kept_from:
                    found.setdefault(at_ms // length, [0, 0])[kind] += 1
            for start, numbers in found.items():
                yield next(ids), post.id, period, moment_text(start * length), *numbers


def _fill_author_rollups(population: Population) -> int:
    columns = ("id", "author_id", "period", "start", "posts", "followers")
    return fill_table(AuthorRollup, columns=columns, rows=_author_rollups(population))


def _author_rollups(population: Population) -> Iterator[Row]:
    ids, people, kept_from = count(first_id(population)), person_ids(population), _kept_from(population)
    # All follows are on one day, before the retention of hours.
    day = moment_text(followed_ms(population, number=0) // DAY_MS * DAY_MS)
    for number, followers in enumerate(followers_counts(population)):
        if followers:
            yield next(ids), people[number], _DAY, day, 0, followers
    for period, length in ((_DAY, DAY_MS), (_HOUR, HOUR_MS)):
        written = (post for post in posts(population) if period == _DAY or post.at_ms >= kept_from)
        for start, some in groupby(written, key=lambda post, length=length: post.at_ms // length):  # type: ignore[misc]
            for author, number in Counter(post.author for post in some).items():
                yield next(ids), people[author], period, moment_text(start * length), number, 0


def _fill_overall_rollups(population: Population) -> int:
    numbers: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    kept_from = _kept_from(population)

    def add(kind: str, at_ms: int) -> None:
        numbers[_DAY, at_ms // DAY_MS * DAY_MS][kind] += 1
        if at_ms >= kept_from:
            numbers[_HOUR, at_ms // HOUR_MS * HOUR_MS][kind] += 1

    for number in range(population.people):
        add("registrations", joined_ms(population, number=number))
    for post in posts(population):
        add("posts", post.at_ms)
        at = answer_times(population, post=post)
        for place in range(post.comments + post.reactions):
            add("comments" if place < post.comments else "reactions", at(place))
    ids, kinds = count(first_id(population)), ("registrations", "posts", "comments", "reactions")
    rows: list[Row] = [
        (next(ids), period, moment_text(start), *[found[kind] for kind in kinds])
        for (period, start), found in numbers.items()
    ]
    return fill_table(OverallRollup, columns=("id", "period", "start", *kinds), rows=rows)


POPULATION_TABLES = {
    "posts": fillable(Post, fill=_fill_posts),
    "post_rollups": fillable(PostRollup, fill=_fill_post_rollups),
    "author_rollups": fillable(AuthorRollup, fill=_fill_author_rollups),
    "overall_rollups": fillable(OverallRollup, fill=_fill_overall_rollups),
}
