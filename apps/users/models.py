"""The tables of the users context: profiles, who follows, blocks and mutes whom, and exact counts beside them."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey

SLOTS = 16


class Profile(models.Model):
    """A person as shown to others. An erased person's row stays, emptied, so that late events cannot re-make it."""

    class Status(models.TextChoices):
        """Only active people are shown to others."""

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
    private_since = models.DateTimeField(null=True)  # None also if private since before it was recorded
    version = models.PositiveIntegerField(default=1)
    following_version = models.PositiveBigIntegerField(default=0)
    sanctioned_at = models.DateTimeField(null=True, blank=True)
    deactivated = models.BooleanField(default=False, db_default=False)  # the account waits for its deletion
    deactivated_at = models.DateTimeField(null=True, blank=True)
    silenced = models.BooleanField(default=False, db_default=False)  # only followers come across them
    silenced_at = models.DateTimeField(null=True, blank=True)  # of the latest decision about it, as `sanctioned_at`
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
    """What a moderator took out of a profile, in case it comes back. `action_id` is the decision.

    The row of a reset that was reversed stays: should the event of the reset arrive late, it changes nothing.
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
    """Neither of the two sees anything of the other; `blocker_id` made it so."""

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
    """`muter_id` wants neither posts in the feed nor notifications from `muted_id`, who is not notified."""

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
    """One of up to 16 parts of a person's exact counts: the follows with people of one slot.

    Parts, because a row that everybody who follows the same person must lock would queue them all up. The row is
    also the lock between a new follow and a change of the person's status or privacy.
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
    """How many posts a person has, fed by events in any order: passing through less than 0 is possible."""

    user_id = RemoteKey("auth.User", gone=Gone.ERASE, primary_key=True)
    posts = models.IntegerField(default=0)
    public_posts = models.IntegerField(default=0)

    class Meta:
        db_table = "post_counts"

    def __str__(self) -> str:
        return f"{self.user_id}: {self.posts}"
