"""The tables of the notifications context: what people are told, why, by whose doing, and how they want to be told."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey


class Kind(models.TextChoices):
    """What a notification tells."""

    NEW_POST = "new_post"
    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    FOLLOW_ACCEPTED = "follow_accepted"
    COMMENT = "comment"
    REPLY = "reply"
    MENTION = "mention"
    REACTION = "reaction"
    REPOST = "repost"
    MODERATION = "moderation"


class Target(models.TextChoices):
    """What a notification is about."""

    NONE = ""
    POST = "post"
    COMMENT = "comment"
    USER = "user"


class Notification(models.Model):
    """One line in one person's list. Its id rises with its newest activity: a joined notification gets a new one.

    The only unique key is the primary key, so that the table can be partitioned by ranges of it; what must be there
    once is kept unique in `notification_groups`. `actor_id` is the newest actor, `message` names nobody.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    message = models.CharField(max_length=500)
    is_read = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    actor_id = RemoteKey("users.Profile", gone=Gone.ERASE, null=True, blank=True)
    actors_count = models.PositiveIntegerField(default=0)
    target_type = models.CharField(max_length=10, choices=Target.choices, default=Target.NONE, blank=True)
    target_id = models.BigIntegerField(null=True, blank=True)
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE, null=True, blank=True)
    group_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "notifications"
        indexes = (
            models.Index(fields=["user_id", "id"], name="notifications_list"),
            models.Index(fields=["user_id", "is_read", "id"], name="notifications_unread"),
            models.Index(fields=["post_id"], name="notifications_post"),
            models.Index(fields=["actor_id", "user_id"], name="notifications_actor"),
        )

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class NotificationGroup(models.Model):
    """What is told once: one row for each person, topic and (where activity is joined by the day) day since 1970.

    `topic` says what happened to what, such as "reaction:post:7". `notification_id` is the living notification.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    topic = models.CharField(max_length=64)
    day = models.PositiveIntegerField(default=0)
    notification_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "notification_groups"
        constraints = (models.UniqueConstraint(fields=["user_id", "topic", "day"], name="notification_groups_once"),)
        indexes = (models.Index(fields=["topic"], name="notification_groups_topic"),)

    def __str__(self) -> str:
        return f"{self.topic} for {self.user_id}"


class NotificationActor(models.Model):
    """What one person last did about one topic of another. Not `present`: they took it back at `at`.

    Such a tombstone keeps an older event that arrives late from bringing back what was taken back.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    topic = models.CharField(max_length=64)
    actor_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    group_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField()
    present = models.BooleanField(default=True)

    class Meta:
        db_table = "notification_actors"
        constraints = (
            models.UniqueConstraint(fields=["user_id", "topic", "actor_id"], name="notification_actors_once"),
        )
        indexes = (
            models.Index(fields=["group_id", "present", "at"], name="notification_actors_group"),
            models.Index(fields=["actor_id", "user_id"], name="notification_actors_actor"),
            models.Index(fields=["present", "at"], name="notification_actors_old"),
        )

    def __str__(self) -> str:
        return f"{self.actor_id} on {self.topic}"


class GoneThing(models.Model):
    """The id of a post, comment or person that is gone for good: nothing that arrives late may tell of it."""

    id = models.BigIntegerField(primary_key=True)
    is_person = models.BooleanField(default=False)
    gone_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "notification_gone"
        indexes = (models.Index(fields=["is_person", "gone_at"], name="notification_gone_old"),)

    def __str__(self) -> str:
        return str(self.id)


class NotificationPreference(models.Model):
    """How one person wants to be told of one kind; without a row the defaults of `queries` hold."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    in_app = models.BooleanField()
    push = models.BooleanField()
    email = models.BooleanField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "notification_preferences"
        constraints = (models.UniqueConstraint(fields=["user_id", "kind"], name="notification_preferences_once"),)

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class PushSubscription(models.Model):
    """Where one browser of one person takes pushes. Source: W3C Push API, PushSubscription."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    endpoint = models.CharField(max_length=2048)
    endpoint_digest = models.CharField(max_length=64, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "push_subscriptions"
        indexes = (models.Index(fields=["user_id", "id"], name="push_subscriptions_user"),)

    def __str__(self) -> str:
        return f"subscription {self.id} of {self.user_id}"
