"""Detects and repairs drift of feeds, repost counts, hashtags and mentions."""

from django.db.models import Count

from apps.posts.actions.feed.reader import feed_difference
from apps.posts.actions.feed.store import cached_feeds, forget_feed
from apps.posts.actions.posts import add_hashtags, add_mentions
from apps.posts.models import Post, PostHashtag, PostMention, Repost, RepostCount
from socialapp.contracts.drift import Drift
from socialapp.core.db import transactional
from socialapp.core.text.hashtags import hashtag_digest
from socialapp.lifecycle.drift import Compared, events_in_flight, next_after


def check_feeds(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the next feeds in Redis, in no order; a wrong one is dropped, to be rebuilt at its next reading."""
    user_ids, cursor = cached_feeds(after, count=limit)
    different = {user_id: ids for user_id in user_ids if (ids := feed_difference(user_id))}
    in_flight = events_in_flight(("posts", "users")) if different else set()
    drifts = []
    for user_id, post_ids in different.items():
        if user_id in in_flight or not (post_ids - in_flight):
            continue
        if repair:
            forget_feed(user_id)
        drifts.append(Drift(projection="feeds", id=user_id, held=f"{len(post_ids)} posts wrong or missing", actual="0"))
    left_out = len(different) - len(drifts)
    return Compared(compared=len(user_ids) - left_out, in_flight=left_out, drifts=drifts, next_id=cursor)


def check_repost_counts(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the repost counts of the next posts."""
    ids = list(Post.objects.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:limit])
    held = dict(RepostCount.objects.filter(post_id__in=ids).values_list("post_id", "count"))
    actual = dict(Repost.objects.filter(post_id__in=ids).values_list("post_id").annotate(Count("id")))
    found = [
        _recheck_reposts(post_id=post_id, repair=repair)
        for post_id in ids
        if held.get(post_id, 0) != actual.get(post_id, 0)
    ]
    drifts = [drift for drift in found if drift is not None]
    return Compared(compared=len(ids), drifts=drifts, next_id=next_after(ids, limit=limit))


@transactional("posts")
def _recheck_reposts(*, post_id: int, repair: bool) -> Drift | None:
    """Compares while nobody can change the post's reposts; corrects the count if `repair`."""
    RepostCount.objects.get_or_create(post_id=post_id)
    row = RepostCount.objects.select_for_update().get(post_id=post_id)
    actual = Repost.objects.filter(post_id=post_id).count()
    if row.count == actual:
        return None
    if repair:
        RepostCount.objects.filter(post_id=post_id).update(count=actual)
    return Drift(projection="repost_counts", id=post_id, held=str(row.count), actual=str(actual))


def check_tags(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the hashtag and mention rows of the next posts. Three queries."""
    posts = list(Post.objects.filter(id__gt=after).order_by("id")[:limit])
    ids = [post.id for post in posts]
    held: dict[int, tuple[set[str], set[int]]] = {post_id: (set(), set()) for post_id in ids}
    for post_id, key in PostHashtag.objects.filter(post_id__in=ids).values_list("post_id", "tag_key"):
        held[post_id][0].add(key)
    for post_id, user_id in PostMention.objects.filter(post_id__in=ids).values_list("post_id", "user_id"):
        held[post_id][1].add(user_id)
    suspects = [post.id for post in posts if held[post.id] != _named_in(post)]
    found = [_recheck_tags(post_id=post_id, repair=repair) for post_id in suspects]
    drifts = [drift for some in found for drift in some]
    return Compared(compared=len(ids), drifts=drifts, next_id=next_after(ids, limit=limit))


def _named_in(post: Post) -> tuple[set[str], set[int]]:
    return set(map(hashtag_digest, post.hashtags)), {user_id for user_id, _ in post.mentions}


@transactional("posts")
def _recheck_tags(*, post_id: int, repair: bool) -> list[Drift]:
    """Compares while nobody can edit the post; rewrites its rows if `repair`."""
    post = Post.objects.select_for_update().filter(id=post_id).first()
    if post is None:
        return []
    keys, people = _named_in(post)
    tag_rows, mention_rows = (
        PostHashtag.objects.filter(post_id=post_id),
        PostMention.objects.filter(post_id=post_id),
    )
    drifts = []
    held_tags = dict(tag_rows.values_list("tag_key", "tag"))
    if held_tags.keys() != keys:
        held, actual = _listed(set(held_tags.values())), _listed(set(post.hashtags))
        drifts.append(Drift(projection="hashtags", id=post_id, held=held, actual=actual))
        if repair:
            tag_rows.delete()
            add_hashtags(post_id=post_id, tags=post.hashtags)
    if (held_people := set(mention_rows.values_list("user_id", flat=True))) != people:
        drifts.append(Drift(projection="mentions", id=post_id, held=_listed(held_people), actual=_listed(people)))
        if repair:
            mention_rows.delete()
            add_mentions(post_id=post_id, user_ids=people)
    return drifts


def _listed(named: set[str] | set[int]) -> str:
    return " ".join(sorted(map(str, named))) or "none"
