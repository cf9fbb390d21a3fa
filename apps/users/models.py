"""The tables of users: profiles, follows, blocks, mutes, and exact counts."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey

SLOTS = 16


class Profile(models.Model):
    """A person as shown to others. An erased person's emptied row stays, so that late events cannot create it again."""

    class Status(models.TextChoices):
        """Only active people are visible to others."""

        ACTIVE = "active"
        INACTIVE = "inactive"
        BANNED = "banned"
        DELETED = "deleted"

    user_id = RemoteKey("auth.User", gone=Gone.KEEP, primary_key=True)
    username = models.CharField(max_length=150, blank=True)
    # Compared instead of `username`, as databases disagree about case. Not unique: a freed name may be taken by
    # somebody else before the event of the deletion arrives here.
    username_key = models.CharField(max_length=150, blank=True, db_index=True)
    full_name = models.CharField(max_length=100, blank=True)
    bio = models.CharField(max_length=500, blank=True)
    profile_picture = models.CharField(max_length=500, blank=True)
    header_picture = models.CharField(max_length=500, blank=True, default="", db_default="")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    is_private = models.BooleanField(default=False)
    is_discoverable = models.BooleanField(default=True, db_default=True)  # may appear in explore and in suggestions
    private_since = models.DateTimeField(null=True)  # also None if private before this was recorded
    version = models.PositiveIntegerField(default=1)
    following_version = models.PositiveBigIntegerField(default=0)
    sanctioned_at = models.DateTimeField(null=True, blank=True)
    deactivated = models.BooleanField(default=False, db_default=False)  # in the grace period of a deletion
    deactivated_at = models.DateTimeField(null=True, blank=True)
    silenced = models.BooleanField(default=False, db_default=False)  # only followers find them
    silenced_at = models.DateTimeField(null=True, blank=True)  # time of the latest decision, like `sanctioned_at`
    limited = models.BooleanField(default=False, db_default=False)  # they may not write
    limited_at = models.DateTimeField(null=True, blank=True)
    links_limited = models.BooleanField(default=False, db_default=False)  # they may write, but no links
    links_limited_at = models.DateTimeField(null=True, blank=True)
    media_limited = models.BooleanField(default=False, db_default=False)  # they may write, but without media
    media_limited_at = models.DateTimeField(null=True, blank=True)
    erased = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "profiles"

    def __str__(self) -> str:
        return self.username or str(self.user_id)


class ProfileReset(models.Model):
    """What a moderator removed from a profile, in case it is restored. `action_id` is the decision.

    The row stays after the reset was reversed, so that its event changes nothing if it arrives late.
    """

    action_id = models.BigIntegerField(primary_key=True)
    user_id = RemoteKey("auth.User", gone=Gone.ERASE, db_index=True)
    full_name = models.CharField(max_length=100, blank=True)
    bio = models.CharField(max_length=500, blank=True)
    profile_picture = models.CharField(max_length=500, blank=True)
    header_picture = models.CharField(max_length=500, blank=True, default="", db_default="")
    is_undone = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "profile_resets"

    def __str__(self) -> str:
        return f"reset {self.action_id} of {self.user_id}"


class Follow(models.Model):
    """`follower_id` follows `following_id`: an accepted relation that takes effect."""

    id = IdField()
    follower_id = RemoteKey("auth.User", gone=Gone.ERASE)
    following_id = RemoteKey("auth.User", gone=Gone.ERASE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "follows"
        constraints = (models.UniqueConstraint(fields=["follower_id", "following_id"], name="follows_once"),)
        indexes = (
            models.Index(fields=["following_id", "follower_id"], name="follows_followers"),
            models.Index(fields=["following_id", "id"], name="follows_newest_followers"),
            models.Index(fields=["follower_id", "id"], name="follows_newest_following"),
        )

    def __str__(self) -> str:
        return f"{self.follower_id} → {self.following_id}"


class FollowRequest(models.Model):
    """`requester_id` has asked to follow the private account `target_id`."""

    id = IdField()
    requester_id = RemoteKey("auth.User", gone=Gone.ERASE)
    target_id = RemoteKey("auth.User", gone=Gone.ERASE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "follow_requests"
        constraints = (models.UniqueConstraint(fields=["requester_id", "target_id"], name="follow_requests_once"),)
        indexes = (models.Index(fields=["target_id", "id"], name="follow_requests_newest"),)

    def __str__(self) -> str:
        return f"{self.requester_id} → {self.target_id}?"


class Block(models.Model):
    """Hides the two from each other; `blocker_id` did it."""

    id = IdField()
    blocker_id = RemoteKey("auth.User", gone=Gone.ERASE)
    blocked_id = RemoteKey("auth.User", gone=Gone.ERASE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "blocks"
        constraints = (models.UniqueConstraint(fields=["blocker_id", "blocked_id"], name="blocks_once"),)
        indexes = (
            models.Index(fields=["blocked_id", "blocker_id"], name="blocks_blockers"),
            models.Index(fields=["blocker_id", "id"], name="blocks_newest"),
        )

    def __str__(self) -> str:
        return f"{self.blocker_id} ✕ {self.blocked_id}"


class Mute(models.Model):
    """Hides `muted_id`'s posts and activity from `muter_id`'s feed and notifications, unknown to the muted person."""

    id = IdField()
    muter_id = RemoteKey("auth.User", gone=Gone.ERASE)
    muted_id = RemoteKey("auth.User", gone=Gone.ERASE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "mutes"
        constraints = (models.UniqueConstraint(fields=["muter_id", "muted_id"], name="mutes_once"),)
        indexes = (
            models.Index(fields=["muted_id", "muter_id"], name="mutes_muters"),
            models.Index(fields=["muter_id", "id"], name="mutes_newest"),
        )

    def __str__(self) -> str:
        return f"{self.muter_id} – {self.muted_id}"


class FollowCount(models.Model):
    """One of up to 16 slots of a person's exact counts: the follows with people of that slot.

    Slots, because a single row would queue up everybody who follows the same person. The row is also the lock
    between a new follow and a change of the person's status or privacy.
    """

    pk = models.CompositePrimaryKey("user_id", "slot")
    user_id = RemoteKey("auth.User", gone=Gone.ERASE)
    slot = models.PositiveSmallIntegerField()
    followers = models.IntegerField(default=0)
    following = models.IntegerField(default=0)

    class Meta:
        db_table = "follow_counts"

    def __str__(self) -> str:
        return f"{self.user_id}/{self.slot}"


class PostCount(models.Model):
    """How many posts a person has, maintained by events in any order, so temporarily negative values are possible."""

    user_id = RemoteKey("auth.User", gone=Gone.ERASE, primary_key=True)
    posts = models.IntegerField(default=0)
    public_posts = models.IntegerField(default=0)

    class Meta:
        db_table = "post_counts"

    def __str__(self) -> str:
        return f"{self.user_id}: {self.posts}"
