"""SQL of metrics: roll-ups, and the deltas that are not in them yet."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncHour
from django.utils import timezone

from apps.metrics.models import AuthorRollup, Metric, MetricDelta, OverallRollup, Post, PostRollup, Rollup
from socialapp.core.ids import id_time
from socialapp.core.sql import placeholders, select

ENGAGEMENT = (Metric.VIEWS, Metric.IMPRESSIONS, Metric.REACTIONS, Metric.COMMENTS, Metric.REPOSTS)
OF_AUTHOR = (Metric.POSTS, Metric.FOLLOWERS)
OVERALL = (*ENGAGEMENT, Metric.POSTS, Metric.REGISTRATIONS)
DAYS_SHOWN = 30
TREND_WINDOW = timedelta(hours=48)
TREND_HALF_LIFE = timedelta(hours=6)
TREND_ROWS = 20_000

Numbers = dict[str, int]
ByDay = dict[date, Numbers]


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers over all time, and for each of the last days, oldest first."""

    totals: Numbers
    by_day: list[tuple[date, Numbers]] = field(default_factory=list)


def hour_of(moment: datetime) -> datetime:
    """The start of the hour of `moment`, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def deleted_posts(post_ids: Iterable[int]) -> set[int]:
    """Those of the posts that were deleted. One query."""
    ids = list(post_ids)
    if not ids:
        return set()
    sql = f"SELECT id FROM metrics_posts WHERE id IN ({placeholders(ids)}) AND is_deleted"  # noqa: S608
    return {row[0] for row in select(Post, sql=sql, values=ids)}


def post_totals(*, post_id: int) -> Totals:
    """The engagement with one post. Two queries."""
    numbers = _by_day(
        PostRollup.objects.filter(post_id=post_id), MetricDelta.objects.filter(post_id=post_id), ENGAGEMENT
    )
    return _totals(numbers, ENGAGEMENT, since=id_time(post_id).date())


def author_totals(*, author_id: int) -> Totals:
    """The engagement with an author's existing posts, the posts, and followers gained. Four queries."""
    posts = Post.objects.filter(author_id=author_id, is_deleted=False).values("id")
    engagement = _by_day(
        PostRollup.objects.filter(post_id__in=posts), MetricDelta.objects.filter(post_id__in=posts), ENGAGEMENT
    )
    own = _by_day(
        AuthorRollup.objects.filter(author_id=author_id), MetricDelta.objects.filter(author_id=author_id), OF_AUTHOR
    )
    for day, numbers in own.items():
        engagement[day].update(numbers)
    return _totals(engagement, (*ENGAGEMENT, *OF_AUTHOR))


def stored_engagement(post_ids: Collection[int]) -> dict[int, Numbers]:
    """Comments, reactions and reposts of each post as counted here, over all time. Two queries."""
    return _stored(PostRollup.objects.all(), "post_id", post_ids, (Metric.COMMENTS, Metric.REACTIONS, Metric.REPOSTS))


def trending_posts(*, limit: int) -> list[tuple[int, float]]:
    """The posts with the most engagement now, and their scores, highest first. One query.

    A reaction, comment or repost counts one, halved for every `TREND_HALF_LIFE` of its age.
    """
    now = hour_of(timezone.now())
    hours = PostRollup.objects.filter(period=Rollup.Period.HOUR, start__gte=now - TREND_WINDOW)
    engaged = hours.annotate(engaged=F("reactions") + F("comments") + F("reposts")).exclude(engaged=0)
    scores: dict[int, float] = defaultdict(float)
    for post_id, start, number in engaged.order_by("-start").values_list("post_id", "start", "engaged")[:TREND_ROWS]:
        scores[post_id] += number * 0.5 ** ((now - start) / TREND_HALF_LIFE)
    ranked = sorted(
        ((post_id, score) for post_id, score in scores.items() if score > 0), key=lambda one: (-one[1], -one[0])
    )
    return ranked[:limit]


def stored_posts_counts(author_ids: Collection[int]) -> dict[int, Numbers]:
    """The posts of each author as counted here, over all time. Two queries."""
    return _stored(AuthorRollup.objects.all(), "author_id", author_ids, (Metric.POSTS,))


def stored_followers_counts(user_ids: Collection[int]) -> dict[int, Numbers]:
    """The followers of each person as counted here, over all time. Two queries."""
    return _stored(AuthorRollup.objects.all(), "author_id", user_ids, (Metric.FOLLOWERS,))


def _stored(rollups: QuerySet[Any], owner: str, ids: Collection[int], metrics: Sequence[Metric]) -> dict[int, Numbers]:
    held: dict[int, Numbers] = {key: {metric.value: 0 for metric in metrics} for key in ids}
    sums = {f"sum_{metric.value}": Sum(metric.value) for metric in metrics}
    wanted = {f"{owner}__in": list(ids)}
    for row in rollups.filter(**wanted, period=Rollup.Period.DAY).values(owner).annotate(**sums).order_by():
        for metric in metrics:
            held[row[owner]][metric.value] += row[f"sum_{metric.value}"]
    deltas = (
        MetricDelta.objects.filter(**wanted, metric__in=metrics).values(owner, "metric").annotate(sum=Sum("amount"))
    )
    for row in deltas.order_by():
        held[row[owner]][row["metric"]] += row["sum"]
    return held


def existing_posts(*, after: int, limit: int) -> list[int]:
    """Up to `limit` ids of posts above `after` that are not deleted, ascending."""
    rows = Post.objects.filter(id__gt=after, is_deleted=False).order_by("id")
    return list(rows.values_list("id", flat=True)[:limit])


def counted_authors(*, after: int, limit: int) -> list[int]:
    """Up to `limit` ids of authors above `after` who have a post or a count, ascending."""
    found: set[int] = set()
    for model in (AuthorRollup, MetricDelta, Post):
        rows = model._default_manager.filter(author_id__gt=after).order_by("author_id")
        found.update(key for key in rows.values_list("author_id", flat=True).distinct()[:limit] if key is not None)
    return sorted(found)[:limit]


def overview(*, days: int) -> list[tuple[date, Numbers]]:
    """What everybody did on each of the last `days` days, oldest first. Two queries."""
    since = datetime.combine(_first_day(days), datetime.min.time(), tzinfo=UTC)
    happened = Q(amount__gt=0) & ~Q(metric=Metric.FOLLOWERS)
    numbers = _by_day(
        OverallRollup.objects.filter(start__gte=since), MetricDelta.objects.filter(happened, at__gte=since), OVERALL
    )
    return _last_days(numbers, OVERALL, first=_first_day(days))


def hours(*, hours: int) -> list[tuple[datetime, Numbers]]:
    """What everybody did in each of the last `hours` hours, oldest first. Two queries."""
    last = hour_of(timezone.now())
    found = {last - timedelta(hours=back): {one.value: 0 for one in OVERALL} for back in range(hours - 1, -1, -1)}
    since = min(found)
    until = last + timedelta(hours=1)  # clocks that are ahead produce times in the future
    for row in OverallRollup.objects.filter(period=Rollup.Period.HOUR, start__gte=since, start__lt=until):
        for metric in OVERALL:
            found[row.start][metric.value] += getattr(row, metric.value)
    new = MetricDelta.objects.filter(amount__gt=0, at__gte=since, at__lt=until, metric__in=OVERALL)
    for each in new.annotate(hour=TruncHour("at")).values("hour", "metric").annotate(sum=Sum("amount")).order_by():
        found[each["hour"]][each["metric"]] += each["sum"]
    return list(found.items())


def _by_day(rollups: QuerySet[Any], deltas: QuerySet[MetricDelta], metrics: Iterable[Metric]) -> ByDay:
    """Numbers by day: the daily roll-ups and the deltas that are not in them yet. One query each."""
    found: ByDay = defaultdict(lambda: defaultdict(int))
    sums = {f"sum_{metric.value}": Sum(metric.value) for metric in metrics}
    for row in rollups.filter(period=Rollup.Period.DAY).values("start").annotate(**sums):
        for metric in metrics:
            found[row["start"].date()][metric.value] += row[f"sum_{metric.value}"]
    wanted = deltas.filter(metric__in=metrics).annotate(day=TruncDate("at"))
    for row in wanted.values("day", "metric").annotate(sum=Sum("amount")).order_by():
        found[row["day"]][row["metric"]] += row["sum"]
    return found


def _totals(numbers: ByDay, metrics: Iterable[Metric], *, since: date = date.min) -> Totals:
    names = [metric.value for metric in metrics]
    totals = {name: sum(day.get(name, 0) for day in numbers.values()) for name in names}
    return Totals(totals, _last_days(numbers, metrics, first=max(_first_day(DAYS_SHOWN), since)))


def _last_days(numbers: ByDay, metrics: Iterable[Metric], *, first: date) -> list[tuple[date, Numbers]]:
    days = (_today() - first).days + 1
    names = [metric.value for metric in metrics]
    listed = [first + timedelta(days=offset) for offset in range(days)]
    return [(day, {name: numbers.get(day, {}).get(name, 0) for name in names}) for day in listed]


def _first_day(days: int) -> date:
    return _today() - timedelta(days=days - 1)


def _today() -> date:
    return timezone.now().astimezone(UTC).date()
