"""The services that posts provides to the other contexts."""

from datetime import datetime
from functools import partial

from apps.posts import access, actions, presenters, queries
from apps.posts.actions import POPULATION_TABLES
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.posts import (
    AuthorPosts,
    CommentMedia,
    MediaHash,
    PostDocument,
    PostRef,
    PostVersion,
    RepostNumber,
    ReviewedMedia,
    Storage,
    VisiblePosts,
)
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.bulk import record_page
from socialapp.lifecycle.drift import run_comparisons


class PostsService:
    """The `Posts` contract; every method takes a constant number of queries and calls."""

    def visible(self, *, viewer_id: int | None, post_ids: list[int]) -> list[PostRef]:
        """See `Posts.visible`."""
        return access.visible_refs(viewer_id=viewer_id, post_ids=post_ids)

    def visible_with_people(self, *, viewer_id: int | None, post_ids: list[int], people_ids: list[int]) -> VisiblePosts:
        """See `Posts.visible_with_people`."""
        return access.visible_refs_with_people(viewer_id=viewer_id, post_ids=post_ids, people_ids=people_ids)

    def viewers(self, *, post_id: int, user_ids: list[int]) -> list[int]:
        """See `Posts.viewers`; empty for a post that does not exist."""
        return access.viewers_of(post_id=post_id, user_ids=user_ids)

    def feeds_without(self, *, post_id: int, user_ids: list[int]) -> list[int]:
        """See `Posts.feeds_without`."""
        return actions.feeds_without(post_id=post_id, user_ids=user_ids)

    def muted(self, *, pairs: list[tuple[int, int]]) -> list[bool]:
        """See `Posts.muted`."""
        found = queries.muted_posts(pairs)
        return [pair in found for pair in pairs]

    def refs(self, *, post_ids: list[int]) -> list[PostRef]:
        """See `Posts.refs`."""
        return queries.post_refs(post_ids)

    def documents(self, *, post_ids: list[int]) -> list[PostDocument]:
        """See `Posts.documents`."""
        return queries.documents_of(post_ids)

    def author_posts(self, *, author_ids: list[int]) -> list[AuthorPosts]:
        """See `Posts.author_posts`."""
        return queries.posts_of_authors(author_ids)

    def reposts(self, *, post_ids: list[int]) -> list[RepostNumber]:
        """See `Posts.reposts`."""
        return queries.reposts_of(post_ids)

    def removed(self, *, post_ids: list[int]) -> list[PostDocument]:
        """See `Posts.removed`."""
        return queries.removed_documents_of(post_ids)

    def reviewed_media(self, *, post_ids: list[int]) -> list[ReviewedMedia]:
        """See `Posts.reviewed_media`."""
        return presenters.reviewed_media(queries.shown_media(post_ids))

    def media_hashes(
        self, *, post_ids: list[int], known: list[str] | None = None, comment_ids: list[int] | None = None
    ) -> list[MediaHash]:
        """See `Posts.media_hashes`."""
        return queries.media_hashes_of(post_ids, comment_ids=comment_ids or [], known=known or [])

    def versions(self, *, post_id: int, shown_at: datetime | None = None) -> list[PostVersion]:
        """See `Posts.versions`."""
        return queries.versions_of(post_id, shown_at=shown_at)

    def storage(self) -> Storage:
        """See `Posts.storage`."""
        return queries.stored_files()

    def document_page(self, *, after: int, limit: int) -> list[PostDocument]:
        """See `Posts.document_page`."""
        return queries.documents_after(after, limit=limit)

    def post_bodies(self, *, viewer_id: int | None, post_ids: list[int]) -> list[dict[str, object]]:
        """See `Posts.post_bodies`."""
        found = access.visible_posts(viewer_id=viewer_id, post_ids=post_ids)
        return presenters.plain_bodies(presenters.post_bodies(viewer_id=viewer_id, posts=found))

    def public_posts(self, *, author_id: int | None, tag: str, limit: int) -> list[dict[str, object]]:
        """See `Posts.public_posts`."""
        found = access.public_posts(author_id=author_id, tag=tag, limit=limit)
        return presenters.plain_bodies(presenters.post_bodies(viewer_id=None, posts=found))

    def trending_posts(self, *, limit: int) -> list[dict[str, object]]:
        """See `Posts.trending_posts`."""
        found = access.trending_posts(viewer_id=None, limit=limit)
        return presenters.plain_bodies(presenters.post_bodies(viewer_id=None, posts=found))

    def descriptions(self, *, user_id: int, media_ids: list[int]) -> list[str]:
        """See `Posts.descriptions`."""
        return queries.descriptions_of(user_id=user_id, media_ids=media_ids)

    def comment_media(self, *, comment_ids: list[int], withheld_ids: list[int]) -> list[CommentMedia]:
        """See `Posts.comment_media`."""
        return presenters.comment_media(queries.media_of_comments(comment_ids), withheld_ids=withheld_ids)

    def reviewed_comment_media(self, *, comment_ids: list[int]) -> list[ReviewedMedia]:
        """See `Posts.reviewed_comment_media`."""
        return presenters.reviewed_comment_media(queries.media_of_comments(comment_ids))

    def refuse_media(self, *, moderator_id: int, media_id: int, reason: str) -> None:
        """See `Posts.refuse_media`."""
        actions.refuse_media(moderator_id=moderator_id, media_id=media_id, reason=reason)

    def use_in_comment(
        self, *, user_id: int, post_id: int, comment_id: int, media_id: int, is_held: bool = False
    ) -> CommentMedia:
        """See `Posts.use_in_comment`."""
        media = actions.use_in_comment(user_id=user_id, post_id=post_id, comment_id=comment_id, media_id=media_id)
        return presenters.comment_media([media], withheld_ids=[comment_id] if is_held else [])[0]

    def release_from_comment(self, *, comment_id: int) -> None:
        """See `Posts.release_from_comment`."""
        actions.release_from_comment(comment_id=comment_id)

    def use_as_header_picture(self, *, user_id: int, media_id: int | None) -> str:
        """See `Posts.use_as_header_picture`."""
        media = actions.use_as_header_picture(user_id=user_id, media_id=media_id)
        return presenters.header_picture_url(media) if media else ""

    def use_as_profile_picture(self, *, user_id: int, media_id: int | None) -> str:
        """See `Posts.use_as_profile_picture`."""
        media = actions.use_as_profile_picture(user_id=user_id, media_id=media_id)
        return presenters.profile_picture_url(media) if media else ""


class PostsBulkTransfer:
    """The `BulkTransfer` contract, for the kind "post"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `BulkTransfer.load`."""
        loadable, rejected = access.loadable_posts(records)
        return [*rejected, *actions.load_posts(posts=loadable)]

    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """See `BulkTransfer.dump`."""
        rows = queries.posts_after(after=int(after or 0), limit=limit + 1)
        return record_page(rows, limit=limit, record=presenters.post_record)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nothing: no other context dumps posts."""
        return []


class PostsDriftChecks:
    """The `DriftChecks` contract: home feeds, repost counts, hashtags and mentions."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {
            "feeds": partial(actions.check_feeds, repair=repair),
            "repost_counts": partial(actions.check_repost_counts, repair=repair),
            "tags": partial(actions.check_tags, repair=repair),
        }
        return run_comparisons(comparisons, after=after, limit=limit)


# The `PopulationTables` contract.
POPULATION = TableFiller(POPULATION_TABLES)
