"""Shortcuts of the comments tests: writing posts and comments, reading published events."""

from typing import Any

from tests.conftest import Person
from tests.events import published_by
from tests.factories import create_comment, create_post


def write_post(author: Person, content: str = "Hello", **extra: Any) -> str:
    """The id of a new post."""
    return str(create_post(author, content=content, **extra)["id"])


def comment_on(author: Person, post: str, content: str = "Nice", *, parent: str | None = None) -> dict[str, Any]:
    """A new comment."""
    return create_comment(author, post, content=content, **({"parent_comment_id": parent} if parent else {}))


def published(event_type: str) -> list[dict[str, Any]]:
    """The data of all published events of one type, in order."""
    producer = event_type.split(".", maxsplit=1)[0]
    return [envelope.data for envelope in published_by(producer, event_type)]


def published_types(producer: str) -> list[str]:
    """The types of all events that a context published, in order."""
    return [envelope.type for envelope in published_by(producer)]
