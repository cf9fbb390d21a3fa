"""Drafts of posts: a text with its mentions and hashtags, and whether its author may write."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from apps.posts.access.visibility import is_for_followers, load_visibility, viewers_among
from apps.posts.queries import PostRow, descriptions_of
from socialapp.contracts.posts import text_of_post
from socialapp.contracts.users import Author, Users
from socialapp.core.errors import Forbidden
from socialapp.core.text.hashtags import find_hashtags
from socialapp.core.text.mentions import find_mentions
from socialapp.rpc.calls import client
from socialapp.rpc.refusals import refuse_limited, refuse_unverified, screen_text

MAX_CONTENT = 5000
MAX_CONTENT_WARNING = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A text with what other contexts know about it, gathered before the transaction that writes it."""

    author: Author
    content: str
    is_private: bool
    hashtags: list[str]
    mentions: list[tuple[int, str]]
    media_ids: list[int] | None = None  # None: unchanged
    sensitive: bool | None = None  # None: unchanged
    content_warning: str = ""
    is_held: bool = False  # only its author sees it until a moderator has reviewed it

    @property
    def mention_ids(self) -> list[int]:
        """The people whom the text mentions, except the author."""
        return [user_id for user_id, _ in self.mentions if user_id != self.author.card.id]


def draft_post(
    *,
    author_id: int,
    content: str,
    is_private: bool | None,
    media_ids: list[int] | None = None,
    sensitive: bool | None = None,
    content_warning: str | None = None,
    before: PostRow | None = None,
) -> Draft:
    """The text with its hashtags, and its mentions of those who may see it; `is_private` None: as private as the
    account.

    `before` is the post to be edited, if any: the names that it mentions keep their people, whoever sees it now.
    Forbidden if the account may not write. Three calls, and one more for a private text with mentions.
    """
    known = before.mentions if before else []
    mentioned = _mentioned(content, known=known)
    visibility = load_visibility(viewer_id=author_id, author_ids=[author_id, *(user_id for user_id, _ in mentioned)])
    author = visibility.authors.get(author_id)
    if author is None or not author.active:
        raise Forbidden("this account may not write posts", code="account_not_active")
    refuse_unverified(author_id=author_id)
    descriptions = _descriptions(author_id=author_id, media_ids=media_ids, before=before)
    text = text_of_post(content, content_warning=content_warning or "", descriptions=descriptions)
    refuse_limited(author, content=text, has_media=bool(media_ids))
    is_held = screen_text(
        "posts", author_id=author_id, content=text, target_type="post", target_id=before.id if before else 0
    )
    private = author.is_private if is_private is None else is_private
    kept = {user_id for user_id, _ in known}
    named = [user_id for user_id, _ in mentioned if user_id not in kept and visibility.may_see_author(user_id)]
    if named and (private or is_for_followers(author)):
        named = viewers_among(author_id=author_id, is_private=True, user_ids=named)
    meant = kept.union(named)
    return Draft(
        author=author,
        content=content,
        is_private=private,
        hashtags=find_hashtags(content),
        mentions=[(user_id, username) for user_id, username in mentioned if user_id in meant],
        media_ids=media_ids,
        sensitive=sensitive,
        content_warning=content_warning or "",
        is_held=is_held,
    )


def _descriptions(*, author_id: int, media_ids: list[int] | None, before: PostRow | None) -> list[str]:
    """The descriptions of the media that the post is to show. At most one query."""
    if media_ids is not None:
        return descriptions_of(user_id=author_id, media_ids=media_ids)
    return [media["description"] for media in orjson.loads(before.media)] if before and before.media else []


def _mentioned(content: str, *, known: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The people whom a text names, in order: those `known` by their names then, others by their present ones."""
    names = find_mentions(content)
    people = {username.lower(): (user_id, username) for user_id, username in known}
    new = [name for name in names if name not in people]
    cards = client(Users).by_usernames(usernames=new) if new else []
    people |= {card.username.lower(): (card.id, card.username) for card in cards}
    return [people[name] for name in names if name in people]
