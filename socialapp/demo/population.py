"""A random population, the same in every context: who follows whom, who writes what, and who responds to what.

Every context generates what it needs and writes its own tables. It needs little memory, as objects are generated one
after the other from few numbers. Followers, authors and responses follow power laws, as in real networks: the person
of rank r has followers in proportion to r to the power of -2/3, so that among a million people the most popular one is
followed by a fifth of all. Source: M. E. J. Newman, Power laws, Pareto distributions and Zipf's law, Contemporary
Physics 46 (2005).

People join in the first week, follow each other on the eighth day, and write from then until the end of the year. A
post's comments and reactions come before the next post.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from socialapp.contracts.bulk import Population
from socialapp.core.ids import NODE_BITS, SEQUENCE_BITS
from socialapp.demo.texts import COMMENTS, POSTS

FOLLOWS_EACH = 20
_MANY_FOLLOWS = 5000
_FOLLOWS_MANY = 10_000  # one in this many people follows very many
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_JOINING_MS = 7 * DAY_MS
_YEAR_MS = 365 * DAY_MS
_PRIVATE = 0.05
_REPLIES = 0.4
_TO_COMMENTS = 0.2
_MOST_ANSWERS = 60_000  # of a post; fewer than the ids of a millisecond
_ID_SHIFT = NODE_BITS + SEQUENCE_BITS
_REACTIONS = ("like", "love", "haha", "sad", "angry")
PEOPLE_AT_MOST = 50_000_000  # more would need more ids than the milliseconds of a day have


class Post(NamedTuple):
    """A post and its numbers of responses. `author` is the number of a person, `text` that of a sentence."""

    number: int
    id: int
    at_ms: int
    author: int
    text: int
    is_private: bool
    comments: int
    reactions: int


class Comment(NamedTuple):
    """A comment on the post that it is listed with; `parent` is the index of the comment it replies to."""

    id: int
    at_ms: int
    author: int
    text: str
    parent: int | None


class Reaction(NamedTuple):
    """A reaction to the post that it is listed with, or to its comment with the index `comment`."""

    id: int
    at_ms: int
    user: int
    type: str
    comment: int | None


def _dice(name: str) -> random.Random:
    return random.Random(name)  # noqa: S311


def username(number: int) -> str:
    """The username of a person."""
    return f"person{number}"


def email(number: int) -> str:
    """The e-mail address of a person."""
    return f"person{number}@demo.example"


def full_name(number: int) -> str:
    """The full name of a person."""
    return f"Person {number}"


def start_ms(population: Population) -> int:
    """Midnight, UTC, a year before the end."""
    return (population.until_ms - _YEAR_MS) // DAY_MS * DAY_MS


def first_id(population: Population) -> int:
    """The lowest id of that moment."""
    return start_ms(population) << _ID_SHIFT


def joined_ms(population: Population, *, number: int) -> int:
    """When a person joined."""
    return start_ms(population) + number * _JOINING_MS // population.people


def person_ids(population: Population) -> list[int]:
    """The ids of all people, by number."""
    return [joined_ms(population, number=number) << _ID_SHIFT for number in range(population.people)]


def followed_ms(population: Population, *, number: int) -> int:
    """When a person followed everybody they follow."""
    return start_ms(population) + _JOINING_MS + number * DAY_MS // population.people


def followings(population: Population) -> Iterator[list[int]]:
    """Whom each person follows, by number; nobody follows themselves, or anyone twice."""
    dice = _dice(f"follows of {population.people}").random
    people = population.people
    for number in range(people):
        wanted = _MANY_FOLLOWS if number % _FOLLOWS_MANY == 1 else FOLLOWS_EACH
        wanted = min(wanted, (people - 1) // 2)
        chosen: set[int] = set()
        while len(chosen) < wanted:
            chosen.update([int(people * dice() ** 3) for _ in range(wanted - len(chosen))])
            chosen.discard(number)
        yield sorted(chosen)


def follow_id(population: Population, *, follower: int, place: int) -> int:
    """The id of the follow at an index of the list of a person's followings."""
    return (followed_ms(population, number=follower) << _ID_SHIFT) + place


def followers_counts(population: Population) -> list[int]:
    """The number of followers of each person, by number."""
    counts = [0] * population.people
    for chosen in followings(population):
        for followed in chosen:
            counts[followed] += 1
    return counts


def _first_post_ms(population: Population) -> int:
    return start_ms(population) + _JOINING_MS + DAY_MS


def posts(population: Population) -> Iterator[Post]:
    """All posts, oldest first. People with more followers write more; private posts get no responses."""
    dice = _dice(f"posts of {population.people}").random
    people, wanted = population.people, population.posts
    first, most = _first_post_ms(population), min(_MOST_ANSWERS, people) // 2
    span = population.until_ms - first
    public = max(wanted * (1 - _PRIVATE), 1)
    comments, reactions = population.comments / public, population.reactions / public
    for number in range(wanted):
        at_ms = first + number * span // wanted
        is_private = dice() < _PRIVATE
        author, text = int(people * dice() ** 2), int(len(POSTS) * dice())
        said = 0 if is_private else min(int(comments * ((1 - dice()) ** -0.5 - 1) + dice()), most)
        felt = 0 if is_private else min(int(reactions * ((1 - dice()) ** -0.5 - 1) + dice()), most)
        yield Post(number, at_ms << _ID_SHIFT, at_ms, author, text, is_private, said, felt)


def text_of(post: Post) -> str:
    """The text of a post."""
    return f"{POSTS[post.text]} (No. {post.number + 1})"


def answer_times(population: Population, *, post: Post) -> Callable[[int], int]:
    """When each response to a post came, in milliseconds, by its index: comments first, then reactions."""
    first = _first_post_ms(population)
    following = first + (post.number + 1) * (population.until_ms - first) // population.posts
    room, parts = following - post.at_ms, post.comments + post.reactions + 1
    return lambda place: post.at_ms + (place + 1) * room // parts if room else post.at_ms


def answers(population: Population) -> Iterator[tuple[Post, list[Comment], list[Reaction]]]:
    """All posts, with their comments and reactions."""
    draw = _dice(f"answers of {population.people}")
    dice, people = draw.random, population.people
    for post in posts(population):
        at = answer_times(population, post=post)
        comments: list[Comment] = []
        roots: list[int] = []
        for place in range(post.comments):
            parent = roots[int(len(roots) * dice())] if roots and dice() < _REPLIES else None
            if parent is None:
                roots.append(place)
            at_ms = at(place)
            text = COMMENTS[int(len(COMMENTS) * dice())]
            comments.append(Comment((at_ms << _ID_SHIFT) + place + 1, at_ms, int(people * dice()), text, parent))
        reactions: list[Reaction] = []
        seen: set[tuple[int | None, int]] = set()
        for place in range(post.comments, post.comments + post.reactions):
            target = int(post.comments * dice()) if post.comments and dice() < _TO_COMMENTS else None
            user = int(people * dice())
            while (target, user) in seen:
                user = int(people * dice())
            seen.add((target, user))
            at_ms = at(place)
            feeling = _REACTIONS[int(len(_REACTIONS) * dice() ** 2)]
            reactions.append(Reaction((at_ms << _ID_SHIFT) + place + 1, at_ms, user, feeling, target))
        yield post, comments, reactions


def moment(ms: int) -> datetime:
    """A moment in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def moment_text(ms: int) -> str:
    """A moment in the format of databases, in UTC."""
    hour, rest = divmod(ms, HOUR_MS)
    return f"{_hour_text(hour)}:{rest // 60_000:02}:{rest % 60_000 // 1000:02}.{rest % 1000:03}000"


@cache
def _hour_text(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%d %H}"


def drawn_numbers(population: Population) -> Counter[str]:
    """The number of rows of each kind."""
    found = Counter(people=population.people, posts=population.posts, comments=0, reactions=0)
    found["follows"] = sum(map(len, followings(population)))
    for post in posts(population):
        found["comments"] += post.comments
        found["reactions"] += post.reactions
    return found
