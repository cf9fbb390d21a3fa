"""Shortcuts of the reactions tests: writing posts, comments and reactions, reading published events."""

from typing import Any

from tests.conftest import Person
from tests.events import published_by
from tests.factories import create_comment, create_post

NONE = {"like": 0, "love": 0, "haha": 0, "sad": 0, "angry": 0}


def write_post(author: Person, content: str = "Hello", **extra: Any) -> str:
    """The path of a new post."""
    return f"/v1/posts/{create_post(author, content=content, **extra)['id']}"


def write_comment(author: Person, post: str) -> str:
    """The path of a new comment."""
    return f"/v1/comments/{create_comment(author, str(id_of(post)), content='Nice')['id']}"


def react(person: Person, target: str, reaction_type: str = "like") -> dict[str, Any]:
    """The answer to a reaction."""
    answer = person.client.put(f"{target}/reaction", {"reaction_type": reaction_type})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def unreact(person: Person, target: str) -> dict[str, Any]:
    """The answer to taking a reaction back."""
    answer = person.client.delete(f"{target}/reaction")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def id_of(path: str) -> int:
    """The id at the end of a path."""
    return int(path.rsplit("/", 1)[1])


def published(event_type: str = "reactions.") -> list[dict[str, Any]]:
    """The data of all events of reactions whose type begins so, in order, without their times."""
    return [
        {name: value for name, value in envelope.data.items() if name != "at"} | {"type": envelope.type}
        for envelope in published_by("reactions", event_type)
    ]
