"""The contract of posts. Events carry no text: whoever needs it asks for its present form."""

from dataclasses import field
from datetime import datetime
from typing import Any, Protocol

from socialapp.contracts.base import data, event, read, service, write
from socialapp.contracts.users import Author


@event("posts.post_created", subject="post_id", partition="author_id")
class PostCreated:
    """A post was written. `mention_ids` are the people it names.

    `is_held`: a rule hides it, from the start, until a moderator has looked at it.
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
    """A post's text or privacy was changed, `at` this time.

    `new_mention_ids` are people whom it mentions and did not mention before, `removed_mention_ids` the other way round.
    `is_held`: a rule hides it, from this edit on, until a moderator has looked at it.
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
    """A post is gone: deleted by its author, erased with its author, or removed so long ago that it cannot come back.

    `was_withdrawn`: it was hidden and out of all counts before.
    """

    post_id: int
    author_id: int
    was_private: bool
    version: int
    was_withdrawn: bool = False


@event("posts.post_withdrawn", subject="post_id", partition="author_id")
class PostRemoved:
    """A moderator removed a post. Nobody sees or counts it; it may come back, with all that belongs to it."""

    post_id: int
    author_id: int
    was_private: bool
    version: int


@event("posts.post_restored", subject="post_id", partition="author_id")
class PostRestored:
    """A removed or hidden post is back, `at` this time.

    `mention_ids`: whom it names. Those whom it named before it was hidden have been notified of that already.
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
    """An upload was processed: it can be shown, or, with `is_ready` false, could not be read."""

    media_id: int
    user_id: int
    is_ready: bool


@data
class ViewCount:
    """How many people have read a post since the last count, or had it on their screen in a list."""

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
    """For posts itself: the followers with ids above `after` do not have the post, or repost, in their feeds yet."""

    post_id: int
    author_id: int
    reposter_id: int | None
    after: int


@data
class PostRef:
    """A post that exists. `hidden`: a moderator hid it, so that its author alone sees it.

    `comments_locked`: a moderator closed its comments, so that nobody adds any.
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
    is_waiting: bool = False  # hidden until a moderator has looked at it


@data
class ReviewedMedia:
    """A picture, animation or video of a post, for the eyes of moderators; its addresses hold for minutes."""

    id: int
    post_id: int
    kind: str  # image, gifv or video
    url: str
    preview_url: str
    description: str


@data
class CommentMedia:
    """A picture that a comment shows, as the API's media object."""

    comment_id: int
    body: dict[str, Any]


@data
class MediaHash:
    """The SHA-256, in hexadecimal digits, of a file as it was uploaded for a post."""

    post_id: int
    sha256: str


@data
class AuthorPosts:
    """How many posts a person has; `public_posts` are those that are not private themselves."""

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
    """Posts that somebody may see, and how they may see some people."""

    posts: list[PostRef]
    people: list[Author]


@data
class PostVersion:
    """What a post said before it was edited, for moderators."""

    version: int
    content: str
    written_at: datetime


@data
class Storage:
    """How many media files are kept, and how many bytes they have."""

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
        """As `visible`, and `people_ids` as in `Users.audience`: users is asked once for both."""
        ...

    @read
    def viewers(self, *, post_id: int, user_ids: list[int]) -> list[int]:
        """Those of `user_ids` who may see the post."""
        ...

    @read
    def feeds_without(self, *, post_id: int, user_ids: list[int]) -> list[int]:
        """Those of `user_ids` whose home feeds do not show the post yet, as fan-out has not reached them."""
        ...

    @read
    def refs(self, *, post_ids: list[int]) -> list[PostRef]:
        """Those of the posts that exist, whoever may see them."""
        ...

    @read
    def documents(self, *, post_ids: list[int]) -> list[PostDocument]:
        """The present form of those of the posts that exist; a deleted one is left out."""
        ...

    @read
    def author_posts(self, *, author_ids: list[int]) -> list[AuthorPosts]:
        """Exact counts of the posts that exist; an author without any may be left out."""
        ...

    @read
    def reposts(self, *, post_ids: list[int]) -> list[RepostNumber]:
        """Exact counts; a post without reposts may be left out."""
        ...

    @read
    def removed(self, *, post_ids: list[int]) -> list[PostDocument]:
        """Those of the posts that a moderator removed and that may come back. For moderators' eyes only."""
        ...

    @read
    def reviewed_media(self, *, post_ids: list[int]) -> list[ReviewedMedia]:
        """What the posts show, those also that are hidden, or removed and may come back. For moderators' eyes only."""
        ...

    @read
    def media_hashes(self, *, post_ids: list[int], known: list[str] | None = None) -> list[MediaHash]:
        """What the media of the posts were when they were uploaded.

        A picture that looks the same as an upload with one of the `known` hashes has that hash, too; as does one whose
        PDQ hash is near a known one.
        """
        ...

    @read
    def versions(self, *, post_id: int) -> list[PostVersion]:
        """The last 20 earlier texts of a post, the newest first, whoever may see them. For moderators' eyes only."""
        ...

    @read
    def storage(self) -> Storage:
        """What media files take up, for the front page of the admin site."""
        ...

    @read
    def document_page(self, *, after: int, limit: int) -> list[PostDocument]:
        """Posts with ids greater than `after`, ascending: for building an index."""
        ...

    @read
    def post_bodies(self, *, viewer_id: int | None, post_ids: list[int]) -> list[dict[str, object]]:
        """The API's post objects, as `viewer_id` may see them, of those that may be seen, in any order."""
        ...

    @read
    def public_posts(self, *, author_id: int | None, tag: str, limit: int) -> list[dict[str, object]]:
        """The API's post objects of the newest posts that everybody may see: an author's, a hashtag's, or all.

        Nothing for an author whom not everybody may see.
        """
        ...

    @read
    def trending_posts(self, *, limit: int) -> list[dict[str, object]]:
        """The API's post objects of what is liked and reposted most now, as everybody may see them, the best first."""
        ...

    @read
    def comment_media(self, *, comment_ids: list[int], withheld_ids: list[int]) -> list[CommentMedia]:
        """What the comments show, for those who may see these; `withheld_ids` are seen by their authors alone."""
        ...

    @read
    def reviewed_comment_media(self, *, comment_ids: list[int]) -> list[ReviewedMedia]:
        """What the comments show, those also that are hidden, or removed and may come back. For moderators only."""
        ...

    @write
    def refuse_media(self, *, moderator_id: int, media_id: int, reason: str) -> None:
        """Removes the post or comment that shows some media, and refuses the same or a similar picture from now on.

        Logged, its author notified, and open to appeal. Idempotent. Forbidden when the author has the moderator's rank.
        """
        ...

    @write
    def use_in_comment(
        self, *, user_id: int, post_id: int, comment_id: int, media_id: int, is_held: bool = False
    ) -> CommentMedia:
        """Shows an image of this person in a comment that is about to be written. Idempotent.

        `is_held`: nobody but its author will see the comment for now, so the addresses are theirs. Invalid, with field
        `media_ids`, when it is none that they may use.
        """
        ...

    @write
    def release_from_comment(self, *, comment_id: int) -> None:
        """Gives back the image of a comment that was not written after all. Idempotent."""
        ...

    @write
    def use_as_header_picture(self, *, user_id: int, media_id: int | None) -> str:
        """Makes an image of this person the header of their profile; its URL, or "" for None. Idempotent.

        Invalid, with field `header_picture_media_id`, when it is none that they may use.
        """
        ...

    @write
    def use_as_profile_picture(self, *, user_id: int, media_id: int | None) -> str:
        """Makes an image of this person their profile picture; its URL, or "" for None. Idempotent.

        Invalid, with field `profile_picture_media_id`, when it is none that they may use.
        """
        ...
