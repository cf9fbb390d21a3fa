"""Posts and what belongs to them: edits, hashtags, mentions, bookmarks, reposts and their counts."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey

MAX_TAG = 100


class _PostColumns(models.Model):
    """What a post is made of."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    content = models.TextField()
    media_url = models.CharField(max_length=500, blank=True, default="")
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    edited = models.BooleanField(default=False)
    hashtags = models.JSONField(default=list)  # ["tag", …] in the order of the text
    mentions = models.JSONField(default=list)  # [[user id, username], …] in the order of the text

    class Meta:
        abstract = True


class Post(_PostColumns):
    """A post. The id alone is the key and nothing else is unique, so that the table can be partitioned by id."""

    class Meta:
        db_table = "posts"
        indexes = (models.Index(fields=["user_id", "id"], name="posts_author"),)

    def __str__(self) -> str:
        return f"post {self.id}"


class WithdrawnPost(_PostColumns):
    """A post that a moderator removed, as it was: no longer among the posts, so that no read can come upon it.

    What belongs to it stays where it is, for the case that it comes back. `action_id` is the removal.
    """

    action_id = models.BigIntegerField(db_index=True)
    withdrawn_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "withdrawn_posts"
        indexes = (models.Index(fields=["user_id", "id"], name="withdrawn_posts_author"),)

    def __str__(self) -> str:
        return f"withdrawn post {self.id}"


class RestoredRemoval(models.Model):
    """The mark of a removal that was taken back: should the word of it arrive late, it removes nothing."""

    action_id = models.BigIntegerField(primary_key=True)
    restored_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "posts_restored_removals"

    def __str__(self) -> str:
        return f"removal {self.action_id}"


class PostEdit(models.Model):
    """An earlier text of a post, with the privacy it had: a text that was private stays so in the history."""

    id = IdField()
    post_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    content = models.TextField()
    is_private = models.BooleanField()
    written_at = models.DateTimeField()

    class Meta:
        db_table = "post_edits"
        constraints = (models.UniqueConstraint(fields=["post_id", "version"], name="post_edits_version"),)

    def __str__(self) -> str:
        return f"version {self.version} of post {self.post_id}"


class PostHashtag(models.Model):
    """A hashtag of a post. `tag_key` is a digest of the tag: databases think that "café" and "cafe" are equal."""

    id = IdField()
    tag = models.CharField(max_length=MAX_TAG)
    tag_key = models.CharField(max_length=32)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "post_hashtags"
        constraints = (models.UniqueConstraint(fields=["tag_key", "post_id"], name="post_hashtags_once"),)
        indexes = (models.Index(fields=["post_id"], name="post_hashtags_post"),)

    def __str__(self) -> str:
        return f"#{self.tag} in post {self.post_id}"


class PostMention(models.Model):
    """Somebody whom a post names."""

    id = IdField()
    post_id = models.BigIntegerField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)

    class Meta:
        db_table = "post_mentions"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="post_mentions_once"),)
        indexes = (models.Index(fields=["post_id"], name="post_mentions_post"),)

    def __str__(self) -> str:
        return f"user {self.user_id} in post {self.post_id}"


class Bookmark(models.Model):
    """A post that somebody keeps for themselves; ids tell the order in which posts were kept."""

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
    """A public post that somebody passes on to their followers."""

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
    """How often a post was reposted: beside the post, as reposts must not lock the post itself."""

    post_id = models.BigIntegerField(primary_key=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "repost_counts"

    def __str__(self) -> str:
        return f"{self.count} reposts of post {self.post_id}"


class PopularAuthor(models.Model):
    """Somebody whose posts are no longer pushed into feeds but merged in when a feed is read.

    Nobody is taken out again: posts that were not pushed would be missing from the feeds.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, unique=True)

    class Meta:
        db_table = "popular_authors"

    def __str__(self) -> str:
        return f"user {self.user_id}"


class FeedEpoch(models.Model):
    """One row, whose number rises when no list of a feed that was built before may be read on.

    That is so when somebody became popular, when a post could not be pushed into lists, and when Redis may have come
    back with lists of an earlier time. Raising it locks the row, so numbers rise in the order of commits.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField(default=0)
    redis_run = models.CharField(max_length=64, blank=True, default="")  # which process of Redis held the lists last

    class Meta:
        db_table = "feed_epoch"

    def __str__(self) -> str:
        return f"epoch {self.number}"


class ErasedAuthor(models.Model):
    """The mark of a deleted user: what arrives late about them must not make rows again."""

    user_id = RemoteKey("users.Profile", gone=Gone.KEEP, primary_key=True)
    erased_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "posts_erased_authors"

    def __str__(self) -> str:
        return f"user {self.user_id}"
