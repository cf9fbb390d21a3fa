"""Drafts of posts: a text with its mentions and hashtags, and whether its author may write."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.posts.access.visibility import is_for_followers, load_visibility, viewers_among
from socialapp.contracts.posts import text_of_post
from socialapp.contracts.users import Author, ProfileSummary, Users
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
    post_id: int = 0,
) -> Draft:
    """The text with its hashtags, and its mentions of those who may see it; `is_private` None: as private as the
    account.

    `post_id` is the post to be edited, if any. Forbidden if the account may not write. Three calls, and one more for
    a private text with mentions.
    """
    cards = _mentioned(content)
    visibility = load_visibility(viewer_id=author_id, author_ids=[author_id, *(card.id for card in cards)])
    author = visibility.authors.get(author_id)
    if author is None or not author.active:
        raise Forbidden("this account may not write posts", code="account_not_active")
    refuse_unverified(author_id=author_id)
    text = text_of_post(content, content_warning=content_warning or "")
    refuse_limited(author, content=text, has_media=bool(media_ids))
    is_held = screen_text("posts", author_id=author_id, content=text, target_type="post", target_id=post_id)
    private = author.is_private if is_private is None else is_private
    named = [card.id for card in cards if visibility.may_see_author(card.id)]
    if named and (private or is_for_followers(author)):
        named = viewers_among(author_id=author_id, is_private=True, user_ids=named)
    names = {card.id: card.username for card in cards}
    return Draft(
        author=author,
        content=content,
        is_private=private,
        hashtags=find_hashtags(content),
        mentions=[(user_id, names[user_id]) for user_id in named],
        media_ids=media_ids,
        sensitive=sensitive,
        content_warning=content_warning or "",
        is_held=is_held,
    )


def _mentioned(content: str) -> Sequence[ProfileSummary]:
    names = find_mentions(content)
    if not names:
        return []
    cards = {card.username.lower(): card for card in client(Users).by_usernames(usernames=names)}
    return [cards[name] for name in names if name in cards]
