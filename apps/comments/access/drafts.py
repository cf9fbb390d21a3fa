"""Drafts of comments and edits, with everything that other contexts must be asked first."""

from dataclasses import dataclass, field

from apps.comments.access.visibility import own_comment, visible_post, visible_refs
from apps.comments.models import Comment
from apps.comments.queries import mentioned_in
from socialapp.contracts.comments import CommentRef, text_of_comment
from socialapp.contracts.posts import CommentMedia, PostRef, Posts
from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.errors import Forbidden, Invalid
from socialapp.core.ids import new_id
from socialapp.core.text.mentions import find_mentions
from socialapp.rpc.calls import client
from socialapp.rpc.refusals import refuse_limited, refuse_unverified, screen_text

MAX_CONTENT = 5000
MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment that may be written."""

    post: PostRef
    author: ProfileSummary
    parent: CommentRef | None
    mentions: dict[str, int]  # user ids by name, as in `find_mentions`
    content: str
    comment_id: int = field(default_factory=new_id)
    media: CommentMedia | None = None
    is_held: bool = False  # only its author sees it until a moderator has reviewed it


@dataclass(frozen=True, slots=True)
class EditDraft:
    """A new text for a comment whose text was `before`.

    Names in both texts keep the people whom they meant; they are not looked up again, as they may have changed hands.
    `new_mentions` are the people whom only the new text names, `removed_mention_ids` those whom only the text before
    mentions.
    """

    comment_id: int
    before: str
    content: str
    kept_names: list[str]
    new_mentions: dict[str, int]
    new_mention_ids: list[int]
    removed_mention_ids: list[int]
    is_held: bool = False


def draft_comment(
    *, author_id: int, post_id: int, parent_comment_id: int | None, content: str, media_ids: list[int]
) -> Draft:
    """Gathers what a new comment needs. NotFound without a visible post, Invalid if the parent cannot be replied to.

    Mentions are limited to people who may see the post and have no block with the author. A parent that does not exist,
    is deleted, on another post or not visible gets the same error, which therefore reveals nothing.
    """
    post = visible_post(viewer_id=author_id, post_id=post_id)
    if post.comments_locked:
        raise Forbidden("a moderator has locked the comments on this post", code="comments_locked")
    parent = _visible_parent(author_id, post_id, parent_comment_id) if parent_comment_id is not None else None
    descriptions = client(Posts).descriptions(user_id=author_id, media_ids=media_ids) if media_ids else []
    text = text_of_comment(content, descriptions=descriptions)
    author, mentions = _author_and_mentioned(
        author_id=author_id, post_id=post_id, text=text, names=find_mentions(content), has_media=bool(media_ids)
    )
    is_held = screen_text("comments", author_id=author_id, content=text, target_type="comment")
    return Draft(post, author, parent, mentions, content, is_held=is_held)


def draft_edit(*, author_id: int, comment_id: int, content: str) -> EditDraft:
    """Gathers what an edit of the caller's comment needs. Errors as for `own_comment`, mentions as for a new
    comment."""
    comment = own_comment(author_id=author_id, comment_id=comment_id)
    before, names = find_mentions(comment.content), find_mentions(content)
    text = text_of_comment(content, descriptions=_descriptions(comment))
    _, new = _author_and_mentioned(
        author_id=author_id, post_id=comment.post_id, text=text, names=[name for name in names if name not in before]
    )
    is_held = screen_text("comments", author_id=author_id, content=text, target_type="comment", target_id=comment_id)
    known = mentioned_in([comment_id]).get(comment_id, {}) if before else {}
    kept = {known[name] for name in names if name in known}
    dropped = _people_named([name for name in before if name not in names], known=known)
    return EditDraft(
        comment_id=comment_id,
        before=comment.content,
        content=content,
        kept_names=[name for name in names if name in before],
        new_mentions=new,
        new_mention_ids=[user_id for user_id in new.values() if user_id not in kept],
        removed_mention_ids=sorted(dropped - kept - {author_id, *new.values()}),
        is_held=is_held,
    )


def _people_named(names: list[str], *, known: dict[str, int]) -> set[int]:
    """The people with these names: those `known` by them then, others by their present ones. One call at most."""
    unknown = [name for name in names if name not in known]
    found = client(Users).by_usernames(usernames=unknown) if unknown else []
    return {known[name] for name in names if name in known} | {card.id for card in found}


def _descriptions(comment: Comment) -> list[str]:
    """The description of the comment's image, if it has one. One call at most."""
    found = client(Posts).comment_media(comment_ids=[comment.id], withheld_ids=[]) if comment.has_media else []
    return [media.body["description"] for media in found]


def no_such_parent() -> Invalid:
    """The error for a parent that does not exist, is deleted, on another post or not visible."""
    return Invalid.of("parent_comment_id", "not_found", "There is no such comment on this post to reply to.")


def _author_and_mentioned(
    *, author_id: int, post_id: int, text: str, names: list[str], has_media: bool = False
) -> tuple[ProfileSummary, dict[str, int]]:
    """The author, and by name the people whom the text may mention; Forbidden if the author may not write."""
    found = client(Users).by_usernames(usernames=names) if names else []
    may_see = client(Posts).viewers(post_id=post_id, user_ids=[profile.id for profile in found]) if found else []
    audience = client(Users).audience(viewer_id=author_id, author_ids=sorted({author_id, *may_see}))
    people = {author.card.id: author.card for author in audience.authors if author.active and not author.blocked}
    if author_id not in people:
        raise Forbidden("this account may not write comments", code="account_not_active")
    refuse_unverified(author_id=author_id)
    for author in audience.authors:
        if author.card.id == author_id:
            refuse_limited(author, content=text, has_media=has_media)
    mentioned = [card for card in found if card.id in people and card.id in may_see]
    return people[author_id], {card.username.lower(): card.id for card in mentioned}


def _visible_parent(viewer_id: int, post_id: int, parent_comment_id: int) -> CommentRef:
    for parent in visible_refs(viewer_id=viewer_id, comment_ids=[parent_comment_id]):
        if parent.post_id == post_id:
            return parent
    raise no_such_parent()
