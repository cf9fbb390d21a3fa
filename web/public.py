"""What everybody may see of posts and profiles, for the documents and for other programs."""

from typing import Any

import orjson
from django.db import InterfaceError, OperationalError

from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Users
from socialapp.core.errors import NotFound, Unavailable
from socialapp.rpc.calls import client

_NO_ANSWER = (Unavailable, OperationalError, InterfaceError)  # then the client asks the API, and says so


def post_body(post_id: int) -> dict[str, Any] | None:
    """A post as the API answers it to everybody; None when not everybody may see it."""
    try:
        return next(iter(_read(client(Posts).post_bodies(viewer_id=None, post_ids=[post_id]))), None)
    except (NotFound, *_NO_ANSWER):
        return None


def profile_body(username: str) -> dict[str, Any] | None:
    """A profile as the API answers it to everybody."""
    try:
        cards = client(Users).by_usernames(usernames=[username])
        found = client(Users).profile_bodies(viewer_id=None, ids=[card.id for card in cards]) if cards else []
        return next(iter(found), None)
    except (NotFound, *_NO_ANSWER):
        return None


def public_posts(*, author_id: int | None = None, tag: str = "", limit: int = 20) -> list[dict[str, Any]]:
    """The newest posts that everybody may see, as the API answers them: of an author, or with a hashtag, or of all."""
    try:
        return _read(client(Posts).public_posts(author_id=author_id, tag=tag, limit=limit))
    except _NO_ANSWER:
        return []


def trending_posts(*, limit: int) -> list[dict[str, Any]]:
    """The posts that are liked and reposted most now, as the API answers to everybody."""
    try:
        return _read(client(Posts).trending_posts(limit=limit))
    except _NO_ANSWER:
        return []


def _read(bodies: list[dict[str, object]]) -> list[dict[str, Any]]:
    """Bodies whose every part can be looked into: within one process, some are JSON already."""
    found: list[dict[str, Any]] = orjson.loads(orjson.dumps(bodies))
    return found
