"""The contract of posts. Events contain no text: consumers fetch the present document."""

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import Any, Protocol

from socialapp.contracts.base import data, event, read, service, write
from socialapp.contracts.users import Author


def text_of_post(content: str, *, content_warning: str, descriptions: Iterable[str]) -> str:
    """All that the author of a post wrote: its content warning, its content and the descriptions of its media."""
    return "\n".join(filter(None, (content_warning, content, *descriptions)))


@event("posts.post_created", subject="post_id", partition="author_id")
class PostCreated:
    """A post was written. `mention_ids` are the people it mentions.

    `is_held`: a word rule hides it, from the start, until a moderator has reviewed it.
    """

    post_id: int
    author_id: int
    is_private: bool
    hashtags: list[str]
    mention_ids: list[int]
    created_at: datetime
    version: int
    is_held: bool = False


@event("posts.post_edited", subject="post_id", partition="author_id")
class PostEdited:
    """A post's text or privacy was changed, at `at`.

    `new_mention_ids` are people whom it mentions and did not mention before, `removed_mention_ids` the opposite.
    `is_held`: a word rule hides it, from this edit on, until a moderator has reviewed it.
    """

    post_id: int
    author_id: int
    is_private: bool
    was_private: bool
    hashtags: list[str]
    new_mention_ids: list[int]
    version: int
    is_held: bool = False
    removed_mention_ids: list[int] = field(default_factory=list)
    at: datetime | None = None


@event("posts.post_deleted", subject="post_id", partition="author_id")
class PostDeleted:
    """A post was deleted: by its author, with its author, or so long after its removal that it cannot be restored.

    `was_withdrawn`: it was hidden and not counted before.
    """

    post_id: int
    author_id: int
    was_private: bool
    version: int
    was_withdrawn: bool = False


@event("posts.post_withdrawn", subject="post_id", partition="author_id")
class PostRemoved:
    """A moderator removed a post. It is hidden and not counted; it may be restored, with everything that belongs to
    it."""

    post_id: int
    author_id: int
    was_private: bool
    version: int


@event("posts.post_restored", subject="post_id", partition="author_id")
class PostRestored:
    """A removed or hidden post was restored, at `at`.

    `mention_ids`: whom it mentions. Those mentioned before it was hidden have already been notified.
    """

    post_id: int
    author_id: int
    is_private: bool
    version: int
    mention_ids: list[int] = field(default_factory=list)
    at: datetime | None = None


@event("posts.reposted", subject="post_id", partition="author_id")
class Reposted:
    """`user_id` reposted the post to their followers. Private posts cannot be reposted."""

    post_id: int
    author_id: int
    user_id: int
    at: datetime


@event("posts.unreposted", subject="post_id", partition="author_id")
class Unreposted:
    """The repost ended. `at` orders it with reposts of the same post."""

    post_id: int
    author_id: int
    user_id: int
    at: datetime | None = None


@event("posts.post_muted", subject="post_id", partition="user_id")
class PostMuted:
    """`user_id` wants no notifications about this post's conversation. `at` orders it with PostUnmuted."""

    post_id: int
    user_id: int
    at: datetime


@event("posts.post_unmuted", subject="post_id", partition="user_id")
class PostUnmuted:
    """`user_id` wants notifications about this post's conversation again."""

    post_id: int
    user_id: int
    at: datetime


@event("posts.media_ready", subject="media_id", partition="user_id")
class MediaReady:
    """An upload was processed: it is ready or, with `is_ready` false, failed."""

    media_id: int
    user_id: int
    is_ready: bool


@event("posts.media_described", subject="media_id", partition="user_id")
class MediaDescribed:
    """The description of media was changed that the post shows or, if there is a `comment_id`, that comment on it."""

    media_id: int
    user_id: int
    post_id: int
    comment_id: int | None = None


@data
class ViewCount:
    """How many people have read a post since the last count, or seen it in a list."""

    post_id: int
    author_id: int
    views: int
    impressions: int = 0


@event("posts.posts_viewed", subject="batch_id")
class PostsViewed:
    """Views counted in one batch; `at` is the hour they belong to."""

    batch_id: int
    at: datetime
    counts: list[ViewCount]


@event("posts.fan_out_continued", subject="post_id", partition="author_id")
class FanOutContinued:
    """For posts itself: the followers with ids above `after` do not have the post or repost in their feeds yet."""

    post_id: int
    author_id: int
    reposter_id: int | None
    after: int


@data
class PostRef:
    """A post that exists. `hidden`: a moderator hid it, so that only its author sees it.

    `comments_locked`: a moderator locked its comments, so that nobody can add any.
    """

    id: int
    author_id: int
    is_private: bool
    created_at: datetime
    hidden: bool = False
    comments_locked: bool = False


@data
class PostDocument:
    """A post for the search index and moderation."""

    id: int
    author_id: int
    content: str
    hashtags: list[str]
    is_private: bool
    has_media: bool
    version: int
    created_at: datetime
    has_content_warning: bool = False
    is_waiting: bool = False  # hidden until a moderator has reviewed it
    content_warning: str = ""
    descriptions: list[str] = field(default_factory=list)  # of its media, in order

    @property
    def text(self) -> str:
        """All that its author wrote, as moderators and rules read it."""
        return text_of_post(self.content, content_warning=self.content_warning, descriptions=self.descriptions)


@data
class ReviewedMedia:
    """A picture, animation or video of a post, for moderators; its URLs expire within minutes."""

    id: int
    post_id: int
    kind: str  # image, gifv or video
    url: str
    preview_url: str
    description: str


@data
class CommentMedia:
    """An image of a comment, as the API's media object."""

    comment_id: int
    body: dict[str, Any]


@data
class MediaHash:
    """The SHA-256, in hexadecimal, of a file uploaded for a post or, with a `comment_id`, for that comment on it."""

    post_id: int
    sha256: str
    comment_id: int | None = None


@data
class AuthorPosts:
    """How many posts a person has; `public_posts` are those not marked private."""

    author_id: int
    posts: int
    public_posts: int


@data
class RepostNumber:
    """How often a post was reposted."""

    post_id: int
    reposts: int


@data
class VisiblePosts:
    """Posts that somebody may see, and their visibility of some people."""

    posts: list[PostRef]
    people: list[Author]


@data
class PostVersion:
    """An earlier text of a post, for moderators."""

    version: int
    content: str
    written_at: datetime
    replaced_at: datetime | None = None


@data
class Storage:
    """The number of media files, and their total size in bytes."""

    files: int
    bytes: int


@service("posts")
class Posts(Protocol):
    """Served by posts."""

    @read
    def visible(self, *, viewer_id: int | None, post_ids: list[int]) -> list[PostRef]:
        """Those of the posts that `viewer_id` (None: anonymous) may see, in any order."""
        ...

    @read
    def visible_with_people(self, *, viewer_id: int | None, post_ids: list[int], people_ids: list[int]) -> VisiblePosts:
        """Like `visible`, and `people_ids` like in `Users.audience`: with a single call to users for both."""
        ...

    @read
    def viewers(self, *, post_id: int, user_ids: list[int]) -> list[int]:
        """Those of `user_ids` who may see the post."""
        ...

    @read
    def feeds_without(self, *, post_id: int, user_ids: list[int]) -> list[int]:
        """Those of `user_ids` whose home feeds lack the post because fan-out has not reached them yet."""
        ...

    @read
    def muted(self, *, pairs: list[tuple[int, int]]) -> list[bool]:
        """For each (post, person), whether the person wants no notifications about the post's conversation."""
        ...

    @read
    def refs(self, *, post_ids: list[int]) -> list[PostRef]:
        """Those of the posts that exist, whoever may see them."""
        ...

    @read
    def documents(self, *, post_ids: list[int]) -> list[PostDocument]:
        """The present documents of those of the posts that exist; deleted ones are omitted."""
        ...

    @read
    def author_posts(self, *, author_ids: list[int]) -> list[AuthorPosts]:
        """Exact counts of the posts that exist; authors without any may be omitted."""
        ...

    @read
    def reposts(self, *, post_ids: list[int]) -> list[RepostNumber]:
        """Exact counts; posts without reposts may be omitted."""
        ...

    @read
    def removed(self, *, post_ids: list[int]) -> list[PostDocument]:
        """Those of the posts that a moderator removed and may restore. For moderators only."""
        ...

    @read
    def reviewed_media(self, *, post_ids: list[int]) -> list[ReviewedMedia]:
        """The media of the posts, including hidden ones and removed ones that may be restored. For moderators only."""
        ...

    @read
    def media_hashes(
        self, *, post_ids: list[int], known: list[str] | None = None, comment_ids: list[int] | None = None
    ) -> list[MediaHash]:
        """The hashes of the media of posts and of comments as uploaded.

        A picture that looks the same as an upload with one of the `known` hashes is returned with that hash, too, as is
        one whose PDQ hash is near a known one.
        """
        ...

    @read
    def versions(self, *, post_id: int, shown_at: datetime | None = None) -> list[PostVersion]:
        """The last 20 earlier texts of a post, newest first, whoever may see them, and the one that was shown at a
        moment. For moderators only."""
        ...

    @read
    def storage(self) -> Storage:
        """The space taken by media files, for the admin site's front page."""
        ...

    @read
    def document_page(self, *, after: int, limit: int) -> list[PostDocument]:
        """Posts with ids greater than `after`, ascending, for building an index."""
        ...

    @read
    def post_bodies(self, *, viewer_id: int | None, post_ids: list[int]) -> list[dict[str, object]]:
        """The API's post objects for `viewer_id`, of those of the posts that they may see, in any order."""
        ...

    @read
    def public_posts(self, *, author_id: int | None, tag: str, limit: int) -> list[dict[str, object]]:
        """The API's post objects of the newest public posts: an author's, a hashtag's, or those of explore.

        Empty for an author who is not public.
        """
        ...

    @read
    def trending_posts(self, *, limit: int) -> list[dict[str, object]]:
        """The API's post objects of the most liked and reposted posts of explore now, best first."""
        ...

    @read
    def descriptions(self, *, user_id: int, media_ids: list[int]) -> list[str]:
        """The descriptions of this person's media, in this order; those of others are omitted."""
        ...

    @read
    def comment_media(self, *, comment_ids: list[int], withheld_ids: list[int]) -> list[CommentMedia]:
        """The media of comments, for people who may see these; those of `withheld_ids` are for their authors only."""
        ...

    @read
    def reviewed_comment_media(self, *, comment_ids: list[int]) -> list[ReviewedMedia]:
        """The media of comments, including hidden ones and removed ones that may be restored. For moderators only."""
        ...

    @write
    def refuse_media(self, *, moderator_id: int, media_id: int, reason: str) -> None:
        """Removes the post or comment that shows some media, and refuses the same or similar pictures from now on.

        Logged, its author notified, and open to appeal. Idempotent. Forbidden if the author has the moderator's rank.
        """
        ...

    @write
    def use_in_comment(
        self, *, user_id: int, post_id: int, comment_id: int, media_id: int, is_held: bool = False
    ) -> CommentMedia:
        """Uses an image of this person in a comment that is about to be written. Idempotent.

        `is_held`: only its author will see the comment for now, so the URLs are for them. Invalid, with the field
        `media_ids`, for an image that they may not use.
        """
        ...

    @write
    def release_from_comment(self, *, comment_id: int) -> None:
        """Releases the image of a comment that was not written after all. Idempotent."""
        ...

    @write
    def use_as_header_picture(self, *, user_id: int, media_id: int | None) -> str:
        """Makes an image of this person the header of their profile; returns its URL, or "" for None. Idempotent.

        Invalid, with the field `header_picture_media_id`, for an image that they may not use.
        """
        ...

    @write
    def use_as_profile_picture(self, *, user_id: int, media_id: int | None) -> str:
        """Makes an image of this person their profile picture; returns its URL, or "" for None. Idempotent.

        Invalid, with the field `profile_picture_media_id`, for an image that they may not use.
        """
        ...
