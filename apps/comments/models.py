"""The tables of comments: the comments, whom they mention, their number on each post, and tombstones."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey

SLOTS = 8
NOT_HIDDEN = models.Q(deleted_at=None) | models.Q(replies_count__gt=0)


class Comment(models.Model):
    """A comment on a post (depth 0) or a reply to another comment.

    A deleted one that has replies stays as a tombstone: `deleted_at` is set, `user_id` and `content` are wiped.
    A tombstone without replies is hidden: it keeps the place of a removed comment that may be restored.
    `replies_count` is the number of direct replies that are not hidden; `score` the number of reactions.
    """

    id = IdField()
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE)
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, null=True, blank=True)
    # No foreign key in the database, so that a post's comments can be deleted in chunks of any order.
    parent_comment = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, blank=True, related_name="replies", db_constraint=False, db_index=False
    )
    content = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    edited = models.BooleanField(default=False)
    depth = models.PositiveSmallIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)  # of a moderator's latest decision to hide it
    replies_count = models.IntegerField(default=0)
    score = models.IntegerField(default=0)
    has_media = models.BooleanField(default=False, db_default=False)  # stored by posts, under the id of the comment

    class Meta:
        db_table = "comments"
        indexes = (
            models.Index(fields=["post_id", "parent_comment", "id"], name="comments_thread"),
            models.Index(fields=["post_id", "parent_comment", "score", "id"], name="comments_top"),
            models.Index(fields=["user_id", "id"], name="comments_author"),
        )

    def __str__(self) -> str:
        return f"{self.id} on {self.post_id}"

    # "hidden" or "waiting" for the author of a withheld comment: filled in by queries, never stored.
    withheld: str | None = None

    @property
    def is_tombstone(self) -> bool:
        """Whether only its place in the thread is left."""
        return self.deleted_at is not None

    @property
    def is_hidden(self) -> bool:
        """Whether even its place is invisible, because no visible reply is under it."""
        return self.is_tombstone and not self.replies_count


class CommentMention(models.Model):
    """Whom a name in a comment meant when it was written: names change hands.

    `username` is as in `find_mentions`. Comments written before this table was added have no rows. Those of a removed
    comment are kept until it is restored or deleted.
    """

    id = IdField()
    comment_id = models.BigIntegerField()
    username = models.CharField(max_length=30)
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, db_index=True)

    class Meta:
        db_table = "comment_mentions"
        constraints = (models.UniqueConstraint(fields=["comment_id", "username"], name="comment_mentions_once"),)

    def __str__(self) -> str:
        return f"@{self.username} in comment {self.comment_id}"


class RemovedComment(models.Model):
    """The content of a comment before a moderator removed or hid it; a tombstone keeps its place.

    `action_id` is the removal; None: it is only hidden, and its author still sees it.
    """

    comment_id = models.BigIntegerField(primary_key=True)
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE, db_index=True)
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, db_index=True)
    content = models.TextField()
    updated_at = models.DateTimeField()
    action_id = models.BigIntegerField(null=True)
    hidden = models.BooleanField(default=False, db_default=False)
    waiting = models.BooleanField(default=False, db_default=False)  # hidden until a moderator has reviewed it
    removed_at = models.DateTimeField(auto_now_add=True, db_index=True, db_column="withdrawn_at")

    class Meta:
        db_table = "withdrawn_comments"

    def __str__(self) -> str:
        return f"removed comment {self.comment_id}"


class RestoredRemoval(models.Model):
    """Marks a removal that was reversed, so that its event removes nothing if it arrives late."""

    action_id = models.BigIntegerField(primary_key=True)
    restored_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "comments_restored_removals"

    def __str__(self) -> str:
        return f"removal {self.action_id}"


class CommentCount(models.Model):
    """One slot of a post's number of comments that are not deleted; the number is the sum over all slots.

    Slots keep concurrent comments on one post from waiting for the same row.
    """

    id = IdField()
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE)
    slot = models.PositiveSmallIntegerField()
    count = models.IntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        db_table = "comment_counts"
        constraints = (models.UniqueConstraint(fields=["post_id", "slot"], name="comment_counts_once"),)

    def __str__(self) -> str:
        return f"{self.post_id}[{self.slot}] {self.count}"
