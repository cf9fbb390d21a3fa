"""What readers do with posts (bookmarks, reposts, mutes), and what feeds need (popular authors, the epoch)."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey


class Bookmark(models.Model):
    """A bookmark of a post; ids are in the order of bookmarking."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "bookmarks"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="bookmarks_once"),)
        indexes = (
            models.Index(fields=["user_id", "id"], name="bookmarks_list"),
            models.Index(fields=["post_id"], name="bookmarks_post"),
        )

    def __str__(self) -> str:
        return f"post {self.post_id} kept by user {self.user_id}"


class Repost(models.Model):
    """A repost of a public post to somebody's followers."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "reposts"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="reposts_once"),)
        indexes = (models.Index(fields=["post_id", "user_id"], name="reposts_post"),)

    def __str__(self) -> str:
        return f"post {self.post_id} reposted by user {self.user_id}"


class RepostCount(models.Model):
    """The number of reposts of a post, in a table of its own so that reposts do not lock the post."""

    post_id = models.BigIntegerField(primary_key=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "repost_counts"

    def __str__(self) -> str:
        return f"{self.count} reposts of post {self.post_id}"


class MutedPost(models.Model):
    """A post about whose conversation somebody wants no notifications."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "muted_posts"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="muted_posts_once"),)
        indexes = (models.Index(fields=["post_id"], name="muted_posts_post"),)

    def __str__(self) -> str:
        return f"post {self.post_id} muted by user {self.user_id}"


class PopularAuthor(models.Model):
    """An author whose posts are merged in when a feed is read, instead of being pushed into feeds.

    Permanent: posts that were not pushed would be missing from the feeds otherwise.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, unique=True)

    class Meta:
        db_table = "popular_authors"

    def __str__(self) -> str:
        return f"user {self.user_id}"


class FeedEpoch(models.Model):
    """One row, whose number is raised to invalidate every cached list of a feed.

    That is done when somebody became popular, when a post could not be pushed into lists, and when Redis may have
    restored lists of an earlier time. Raising it locks the row, so numbers ascend in commit order.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField(default=0)
    redis_run = models.CharField(max_length=64, blank=True, default="")  # the Redis process that last held the lists

    class Meta:
        db_table = "feed_epoch"

    def __str__(self) -> str:
        return f"epoch {self.number}"
