"""Who may see what: the rules that `test_visibility_model` expects the product to follow."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.conftest import JsonClient

ORIGIN = "http://127.0.0.1:8000"
FILE = re.compile(rf"{ORIGIN}/media/(\d+)/[\w.]+(?:\?expires=\d+&signature=\w+)?")


@dataclass
class Life:
    """A user, and the state of their account."""

    id: str
    name: str
    client: JsonClient
    is_private: bool = False
    is_discoverable: bool = True
    state: str = "active"  # or pending approval, deactivated in the grace period of its deletion, or erased
    sanctions: dict[str, int] = field(default_factory=dict)  # ban or silence → the id of the decision


@dataclass
class Written:
    """A post."""

    id: str
    author: int
    word: str
    is_private: bool
    hidden_by: int | None = None
    is_removed: bool = False  # by a moderator or its author
    is_deleted: bool = False
    comments: dict[str, tuple[int, str]] = field(default_factory=dict)  # id → who, word


@dataclass
class Picture:
    """An upload, which at first nothing shows."""

    owner: int
    word: str
    post: Written | None = None  # that shows it, or whose comment does
    is_in_comment: bool = False


@dataclass
class Network:
    """The people, what they have written and uploaded, and the rules. People are numbered; None is anonymous."""

    people: list[Life]
    posts: list[Written] = field(default_factory=list)
    pictures: dict[str, Picture] = field(default_factory=dict)
    files: dict[str, set[int | None]] = field(default_factory=lambda: defaultdict(set))  # URL → who has read it
    follows: set[tuple[int, int]] = field(default_factory=set)
    requests: set[tuple[int, int]] = field(default_factory=set)
    blocks: set[tuple[int, int]] = field(default_factory=set)

    def is_out(self, who: int) -> bool:
        """Banned, or without an account yet or any more: seen by nobody, and not let in."""
        return self.people[who].state != "active" or "ban" in self.people[who].sanctions

    def are_apart(self, one: int | None, other: int) -> bool:
        return (one, other) in self.blocks or (other, one) in self.blocks

    def may_see_author(self, viewer: int | None, whom: int) -> bool:
        return not self.is_out(whom) and not self.are_apart(viewer, whom)

    def sees(self, viewer: int | None, post: Written) -> bool:
        author = self.people[post.author]
        if post.is_removed or not self.may_see_author(viewer, post.author):
            return False
        if viewer == post.author:
            return True
        if post.hidden_by is not None:
            return False
        if (viewer, post.author) in self.follows:
            return True
        return not (post.is_private or author.is_private or "silence" in author.sanctions)

    def sees_comment(self, viewer: int | None, post: Written, who: int) -> bool:
        if not self.sees(viewer, post) or not self.may_see_author(viewer, who):
            return False
        return viewer == who or (viewer, who) in self.follows or "silence" not in self.people[who].sanctions

    def sees_picture(self, viewer: int | None, picture: Picture) -> bool:
        if viewer == picture.owner or picture.post is None:
            return viewer == picture.owner
        if picture.is_in_comment:
            return self.sees_comment(viewer, picture.post, picture.owner)
        return self.sees(viewer, picture.post)

    def may_be_sent(self, url: str) -> bool:
        """Whether the file behind a URL may be sent, to whoever has it: a signed URL was given to those who saw it."""
        picture = self.pictures[FILE.match(url)[1]]  # type: ignore[index]
        post, is_for_owner = picture.post, self.files[url] == {picture.owner}
        if "?" not in url:
            return post is not None and not picture.is_in_comment and self.sees(None, post)
        if post is None or self.is_out(picture.owner):
            return not self.is_out(picture.owner)
        if picture.is_in_comment:
            return is_for_owner or not post.is_removed
        return not post.is_removed and (is_for_owner or post.hidden_by is None)

    def unused_pictures(self, who: int) -> list[str]:
        return [key for key, picture in self.pictures.items() if picture.owner == who and picture.post is None][:1]

    def hidden_words(self, viewer: int | None) -> Iterator[str]:
        for post in self.posts:
            if not self.sees(viewer, post):
                yield post.word
                if viewer != post.author:  # who is told what moderators removed
                    yield f'"{post.id}"'
            for who, word in post.comments.values():
                if not self.sees_comment(viewer, post, who):
                    yield word
        yield from (one.word for one in self.pictures.values() if not self.sees_picture(viewer, one))
        for who, life in enumerate(self.people):
            if who != viewer and (self.is_out(who) or (who, viewer) in self.blocks):
                yield from (life.name, f'"{life.id}"')

    def unlisted_words(self) -> Iterator[str]:
        """What nobody is shown unasked: the posts of people who opted out, and these people among suggestions."""
        yield from (post.word for post in self.posts if not self.people[post.author].is_discoverable)
        yield from (f'"username":"{life.name}","full_name"' for life in self.people if not life.is_discoverable)
