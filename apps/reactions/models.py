"""The tables of reactions: the reactions, their counts, and tombstones."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from socialapp.core.db import Gone, IdField, RemoteKey

SLOTS = 8


class TargetType(models.TextChoices):
    """What can be reacted to."""

    POST = "post"
    COMMENT = "comment"


class ReactionType(models.TextChoices):
    """The types of reaction."""

    LIKE = "like"
    LOVE = "love"
    HAHA = "haha"
    SAD = "sad"
    ANGRY = "angry"


class Reaction(models.Model):
    """One person's reaction to one post or comment: exactly one of `post_id` and `comment_id` is set."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE, null=True, blank=True)
    comment_id = RemoteKey("comments.Comment", gone=Gone.ERASE, null=True, blank=True)
    reaction_type = models.CharField(max_length=8, choices=ReactionType.choices)
    created_at = models.DateTimeField(default=timezone.now)
    # Part of every event about a reaction; stored here, so that an erasure needs no other context.
    target_author_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    under_post_id = RemoteKey("posts.Post", gone=Gone.ERASE)

    class Meta:
        db_table = "reactions"
        constraints = (
            models.UniqueConstraint(fields=["user_id", "post_id"], name="reactions_one_per_post"),
            models.UniqueConstraint(fields=["user_id", "comment_id"], name="reactions_one_per_comment"),
            models.CheckConstraint(
                condition=Q(post_id=None, comment_id__isnull=False) | Q(post_id__isnull=False, comment_id=None),
                name="reactions_one_target",
            ),
        )
        indexes = (
            models.Index(fields=["post_id", "id"], name="reactions_post"),
            models.Index(fields=["post_id", "reaction_type", "id"], name="reactions_post_type"),
            models.Index(fields=["comment_id", "id"], name="reactions_comment"),
            models.Index(fields=["comment_id", "reaction_type", "id"], name="reactions_comment_type"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.reaction_type} {self.target_type} {self.target_id}"

    @property
    def target_type(self) -> str:
        """Whether it is a reaction to a post or to a comment."""
        return TargetType.POST if self.post_id is not None else TargetType.COMMENT

    @property
    def target_id(self) -> int:
        """The id of the post or comment."""
        target_id = self.post_id if self.post_id is not None else self.comment_id
        if target_id is None:
            raise ValueError(f"reaction {self.id} has no target: the check constraint should have refused it")
        return target_id


class ReactionCount(models.Model):
    """One slot of the number of reactions of one type to one target; the number is the sum over all slots.

    Slots keep concurrent reactions to one target from waiting for the same row.
    """

    id = IdField()
    target_type = models.CharField(max_length=8, choices=TargetType.choices)
    target_id = models.BigIntegerField()
    reaction_type = models.CharField(max_length=8, choices=ReactionType.choices)
    slot = models.PositiveSmallIntegerField()
    count = models.IntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        db_table = "reaction_counts"
        constraints = (
            models.UniqueConstraint(
                fields=["target_type", "target_id", "reaction_type", "slot"], name="reaction_counts_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.target_type} {self.target_id} {self.reaction_type}[{self.slot}] {self.count}"
