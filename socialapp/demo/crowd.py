"""A larger crowd, generated for bulk import: followers are distributed by a power law, as in real networks.

Source: A.-L. Barabási and R. Albert, Emergence of scaling in random networks, Science 286 (1999).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from socialapp.contracts.bulk import Record
from socialapp.core.ids import first_id_at
from socialapp.demo.story import REACTIONS
from socialapp.demo.texts import COMMENTS, POSTS

_DAYS = 30
_PRIVATE = 0.05  # of the posts
_REPLIES = 0.4  # of the comments, about
_TO_COMMENTS = 0.2  # of the reactions


@dataclass(frozen=True, slots=True)
class Crowd:
    """The size of a crowd. The same numbers and seed generate the same crowd."""

    people: int
    posts: int
    comments: int
    reactions: int
    follows_each: int = 12
    seed: int = 1999

    def records(self, *, password_hash: str, now: datetime | None = None) -> Iterator[tuple[str, Record]]:
        """Every record of the crowd as (kind, record), in loading order."""
        dice = random.Random(self.seed)  # noqa: S311
        clock = _Clock(now or datetime.now(UTC), self)
        people = []
        for number in range(self.people):
            person, moment = clock.next()
            people.append(person)
            yield "user", _user(number, person, moment, password_hash)
        popular: list[str] = []
        for number, person in enumerate(people):
            for target in _targets(dice, popular, people, number, self.follows_each):
                popular.append(target)
                yield "follow", {"follower_id": person, "following_id": target, "created_at": clock.next()[1]}
        # People with more followers also write more.
        writers = popular or people
        public = []
        for number in range(self.posts):
            made, moment = clock.next()
            is_private = dice.random() < _PRIVATE
            if not is_private:
                public.append(made)
            content = f"{dice.choice(POSTS)} (No. {number + 1})"
            post = {"id": made, "user_id": dice.choice(writers), "content": content, "is_private": is_private}
            yield "post", {**post, "created_at": moment}
        yield from self._answers(dice, clock, people, public)

    def numbers(self) -> dict[str, int]:
        """The number of records of each kind; for follows and reactions the maximum, as duplicates are left out."""
        return {
            "people": self.people,
            "posts": self.posts,
            "comments": self.comments,
            "reactions": self.reactions,
            "follows": self.people * self.follows_each,
        }

    def _answers(
        self, dice: random.Random, clock: "_Clock", people: list[str], posts: list[str]
    ) -> Iterator[tuple[str, Record]]:
        """Comments and reactions on public posts and comments."""
        first: dict[str, str] = {}
        for _ in range(self.comments if posts else 0):
            made, moment = clock.next()
            post = _early(dice, posts)
            parent = first.setdefault(post, made) if dice.random() < _REPLIES else made
            comment = {"id": made, "post_id": post, "user_id": dice.choice(people), "content": dice.choice(COMMENTS)}
            yield (
                "comment",
                {**comment, "parent_comment_id": None if parent == made else parent, "created_at": moment},
            )
        comments = list(first.values())
        seen: set[tuple[str, str]] = set()
        for _ in range(self.reactions if posts else 0):
            made, moment = clock.next()
            to_comment = bool(comments) and dice.random() < _TO_COMMENTS
            pair = (dice.choice(people), _early(dice, comments if to_comment else posts))
            if pair not in seen:
                seen.add(pair)
                target = {"comment_id" if to_comment else "post_id": pair[1]}
                reaction = {"id": made, "user_id": pair[0], **target, "reaction_type": dice.choice(REACTIONS)}
                yield "reaction", {**reaction, "created_at": moment}


class _Clock:
    """Generates ids and times, evenly spread over the last month."""

    def __init__(self, now: datetime, crowd: Crowd) -> None:
        follows = crowd.people * crowd.follows_each
        steps = crowd.people + follows + crowd.posts + crowd.comments + crowd.reactions
        self._at = now - timedelta(days=_DAYS)
        self._step = timedelta(days=_DAYS) / (steps + 1)
        self._last = 0

    def next(self) -> tuple[str, str]:
        self._at += self._step
        self._last = max(first_id_at(self._at), self._last + 1)
        return str(self._last), self._at.isoformat(timespec="milliseconds")


def _user(number: int, person: str, moment: str, password_hash: str) -> Record:
    return {
        "id": person,
        "username": f"person{number}",
        "email": f"person{number}@demo.example",
        "password_hash": password_hash,
        "created_at": moment,
        "full_name": f"Person {number}",
    }


def _targets(dice: random.Random, popular: list[str], people: list[str], earlier: int, wanted: int) -> list[str]:
    """Preferential attachment: half by current popularity, half at random, among the `earlier` people who joined
    before."""
    chosen: dict[str, None] = {}
    for _ in range(wanted if earlier else 0):
        by_popularity = popular and dice.random() < 0.5
        chosen[dice.choice(popular) if by_popularity else people[dice.randrange(earlier)]] = None
    return list(chosen)


def _early(dice: random.Random, targets: list[str]) -> str:
    """A post or comment; few of them get most of the attention."""
    return targets[int(len(targets) * dice.random() ** 3)]
