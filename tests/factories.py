"""Creates users, posts and comments through the API: valid by default, with every field overridable."""

from typing import TYPE_CHECKING, Any

import factory

if TYPE_CHECKING:
    from tests.conftest import Person


class Registration(factory.DictFactory):
    """The body of POST /v1/auth/register."""

    username = factory.Sequence(lambda number: f"person{number}")
    email = factory.LazyAttribute(lambda body: f"{body.username}@example.org")
    password = "correct horse battery"


class PostInput(factory.DictFactory):
    """The body of POST /v1/posts."""

    content = "hello"


class CommentInput(factory.DictFactory):
    """The body of POST /v1/posts/{id}/comments."""

    content = "well said"


def create_post(author: "Person", **fields: Any) -> dict[str, Any]:
    """Writes a post; returns the response body."""
    return _created(author, "/v1/posts", PostInput(**fields))


def create_comment(author: "Person", post_id: str, **fields: Any) -> dict[str, Any]:
    """Writes a comment; returns the response body."""
    return _created(author, f"/v1/posts/{post_id}/comments", CommentInput(**fields))


def _created(author: "Person", path: str, body: Any) -> dict[str, Any]:
    answer = author.client.post(path, body)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made
