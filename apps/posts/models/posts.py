"""Posts and what belongs to them: edits, hashtags, mentions, and removals."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey
from socialapp.core.text.hashtags import MAX_HASHTAG


class _PostColumns(models.Model):
    """The columns of a post."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    content = models.TextField()
    media_url = models.CharField(max_length=500, blank=True, default="")
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    edited = models.BooleanField(default=False)
    hashtags = models.JSONField(default=list)  # ["tag", …] in text order
    mentions = models.JSONField(default=list)  # [[user id, username], …] in text order
    # A copy of Media.shown() of the post's media, in order, so that lists need no query for it.
    media = models.JSONField(null=True, blank=True)
    sensitive = models.BooleanField(default=False, db_default=False)
    content_warning = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Decisions of moderators, separate from the author's choices; `…_at` is the moment of the latest decision.
    marked_sensitive = models.BooleanField(default=False, db_default=False)
    marked_sensitive_at = models.DateTimeField(null=True, blank=True)
    hidden = models.BooleanField(default=False, db_default=False)  # only its author sees it
    hidden_at = models.DateTimeField(null=True, blank=True)
    waiting = models.BooleanField(default=False, db_default=False)  # hidden until a moderator has reviewed it
    comments_locked = models.BooleanField(default=False, db_default=False)  # nobody adds comments
    comments_locked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Post(_PostColumns):
    """A post. Its id is the only key and nothing else is unique, so that the table can be partitioned by id."""

    class Meta:
        db_table = "posts"
        indexes = (models.Index(fields=["user_id", "id"], name="posts_author"),)

    def __str__(self) -> str:
        return f"post {self.id}"


class RemovedPost(_PostColumns):
    """A post that a moderator removed, moved out of the table of posts so that no read can return it.

    What belongs to it stays in place, in case it is restored. `action_id` is the removal.
    """

    action_id = models.BigIntegerField(db_index=True)
    removed_at = models.DateTimeField(auto_now_add=True, db_index=True, db_column="withdrawn_at")

    class Meta:
        db_table = "withdrawn_posts"
        indexes = (models.Index(fields=["user_id", "id"], name="withdrawn_posts_author"),)

    def __str__(self) -> str:
        return f"removed post {self.id}"


class RestoredRemoval(models.Model):
    """Marks a removal that was reversed, so that its event removes nothing if it arrives late."""

    action_id = models.BigIntegerField(primary_key=True)
    restored_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "posts_restored_removals"

    def __str__(self) -> str:
        return f"removal {self.action_id}"


class PostEdit(models.Model):
    """An earlier text of a post, with its privacy then: a text that was private stays private in the history."""

    id = IdField()
    post_id = models.BigIntegerField()
    version = models.PositiveIntegerField()
    content = models.TextField()
    is_private = models.BooleanField()
    media = models.JSONField(null=True, blank=True)  # as in Post
    written_at = models.DateTimeField()

    class Meta:
        db_table = "post_edits"
        constraints = (models.UniqueConstraint(fields=["post_id", "version"], name="post_edits_version"),)

    def __str__(self) -> str:
        return f"version {self.version} of post {self.post_id}"

    @classmethod
    def rows_about(cls, user_id: int) -> "models.QuerySet[PostEdit]":
        """The earlier texts of somebody's posts and removed posts: the table has no column for the author."""
        written = Post._default_manager.filter(user_id=user_id).values("id")
        removed = RemovedPost._default_manager.filter(user_id=user_id).values("id")
        edits = cls._default_manager
        return edits.filter(post_id__in=written).union(edits.filter(post_id__in=removed), all=True)


class PostHashtag(models.Model):
    """A hashtag of a post. `tag_key` is a digest of its key: database collations treat "café" and "cafe" as equal."""

    id = IdField()
    tag = models.CharField(max_length=MAX_HASHTAG)
    tag_key = models.CharField(max_length=32)
    post_id = models.BigIntegerField()

    class Meta:
        db_table = "post_hashtags"
        constraints = (models.UniqueConstraint(fields=["tag_key", "post_id"], name="post_hashtags_once"),)
        indexes = (models.Index(fields=["post_id"], name="post_hashtags_post"),)

    def __str__(self) -> str:
        return f"#{self.tag} in post {self.post_id}"


class PostMention(models.Model):
    """A person mentioned in a post."""

    id = IdField()
    post_id = models.BigIntegerField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)

    class Meta:
        db_table = "post_mentions"
        constraints = (models.UniqueConstraint(fields=["user_id", "post_id"], name="post_mentions_once"),)
        indexes = (models.Index(fields=["post_id"], name="post_mentions_post"),)

    def __str__(self) -> str:
        return f"user {self.user_id} in post {self.post_id}"
