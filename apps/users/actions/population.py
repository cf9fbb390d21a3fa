"""Fills the tables of profiles, follows and their counts with a generated population."""

from collections import Counter
from collections.abc import Iterator

from apps.users.models import Follow, FollowCount, PostCount, Profile
from socialapp.contracts.bulk import Population
from socialapp.core.table_fill import Row, fill_table
from socialapp.demo.filling import fillable
from socialapp.demo.population import (
    follow_id,
    followed_ms,
    followers_counts,
    followings,
    full_name,
    joined_ms,
    moment_text,
    person_ids,
    posts,
    username,
)


def _fill_profiles(population: Population) -> int:
    columns = ("user_id", "username", "username_key", "full_name", "created_at")
    rows = (
        (
            user_id,
            username(number),
            username(number).casefold(),
            full_name(number),
            moment_text(joined_ms(population, number=number)),
        )
        for number, user_id in enumerate(person_ids(population))
    )
    return fill_table(Profile, columns=columns, rows=rows, same={"following_version": 1})


def _fill_follows(population: Population) -> int:
    columns = ("id", "follower_id", "following_id", "created_at")
    return fill_table(Follow, columns=columns, rows=_follows(population))


def _follows(population: Population) -> Iterator[Row]:
    ids = person_ids(population)
    for number, chosen in enumerate(followings(population)):
        follower, at = ids[number], moment_text(followed_ms(population, number=number))
        first = follow_id(population, follower=number, place=0)
        for place, followed in enumerate(chosen):
            yield first + place, follower, ids[followed], at


def _fill_follow_counts(population: Population) -> int:
    """Uses one slot of each count; later follows are counted in their proper slots."""
    followers = followers_counts(population)
    rows = (
        (user_id, followers[number], len(chosen))
        for number, (user_id, chosen) in enumerate(zip(person_ids(population), followings(population), strict=True))
    )
    return fill_table(FollowCount, columns=("user_id", "followers", "following"), rows=rows, same={"slot": 0})


def _fill_post_counts(population: Population) -> int:
    everything: Counter[int] = Counter()
    public: Counter[int] = Counter()
    for post in posts(population):
        everything[post.author] += 1
        public[post.author] += not post.is_private
    ids = person_ids(population)
    rows = ((ids[number], everything[number], public[number]) for number in sorted(everything))
    return fill_table(PostCount, columns=("user_id", "posts", "public_posts"), rows=rows)


POPULATION_TABLES = {
    "profiles": fillable(Profile, fill=_fill_profiles),
    "follows": fillable(Follow, fill=_fill_follows),
    "follow_counts": fillable(FollowCount, fill=_fill_follow_counts),
    "post_counts": fillable(PostCount, fill=_fill_post_counts),
}
