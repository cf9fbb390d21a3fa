"""The tables of notifications: notifications, preferences, devices, and the queue of messages."""

from django.db import models

from socialapp.core.db import Gone, IdField, RemoteKey


class Kind(models.TextChoices):
    """The kinds of notification."""

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
    """The types of a notification's target."""

    NONE = ""
    POST = "post"
    COMMENT = "comment"
    USER = "user"


class Digest(models.TextChoices):
    """How often a digest of unread notifications is mailed."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


class Provider(models.TextChoices):
    """The service through which a device is reached."""

    WEB = "web"
    APNS = "apns"
    FCM = "fcm"


class Channel(models.TextChoices):
    """The channels outside the app."""

    PUSH = "push"
    MAIL = "mail"


class Lane(models.IntegerChoices):
    """The lane of the queue in which a message waits."""

    FIRST = 0
    RETRY = 1


class Notification(models.Model):
    """One entry in one person's list. A grouped notification gets a new, greater id with each new activity.

    The only unique key is the primary key, so that the table can be partitioned by it; `notification_groups` enforces
    uniqueness. `actor_id` is the newest actor, `message` contains no names. `action_id` is the moderation action that a
    moderation notice is about.
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
    action_id = models.BigIntegerField(null=True, blank=True)

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
    """Makes each notification unique: one row per person, topic and (where activity is grouped by day) day since 1970.

    `topic` is what happened to what, such as "reaction:post:7". `notification_id` is the current notification.
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
    """The latest activity of one person on one topic of another. `present` is false if it was undone at `at`.

    Such a row keeps a late, older event from restoring what was undone.
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


class NotificationPreference(models.Model):
    """The channels by which one person wants one kind; without a row `queries.DEFAULT_FLAGS` apply."""

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


class NotificationSettings(models.Model):
    """When and in which language one person is notified, and the state of their mails; without a row: defaults.

    `address_digest` is the SHA-256 of the latest recipient address: bounces contain only the address.
    `suppressed_at` is set when that address bounced or its owner complained; no mail is sent to it any more.
    """

    user_id = RemoteKey("users.Profile", gone=Gone.ERASE, primary_key=True)
    digest = models.CharField(max_length=10, choices=Digest.choices, default=Digest.OFF)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    next_digest_at = models.DateTimeField(null=True, blank=True)
    digest_after_id = models.BigIntegerField(default=0)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=10, default="", blank=True)
    quiet_from = models.CharField(max_length=5, default="", blank=True)
    quiet_to = models.CharField(max_length=5, default="", blank=True)
    mail_day = models.PositiveIntegerField(default=0)
    mails_sent = models.PositiveIntegerField(default=0)
    address_digest = models.CharField(max_length=64, default="", blank=True)
    suppressed_at = models.DateTimeField(null=True, blank=True)
    suppressed_reason = models.CharField(max_length=20, default="", blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "notification_settings"
        verbose_name_plural = "notification settings"
        indexes = (
            models.Index(fields=["next_digest_at"], name="notification_settings_digest"),
            models.Index(fields=["address_digest"], name="notification_settings_mail"),
        )

    def __str__(self) -> str:
        return f"settings of {self.user_id}"


class MutedConversation(models.Model):
    """A post about which one person wants no notifications. Not `muted`: unmuted again at `at`."""

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE)
    muted = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        db_table = "muted_conversations"
        constraints = (models.UniqueConstraint(fields=["post_id", "user_id"], name="muted_conversations_once"),)
        indexes = (models.Index(fields=["user_id"], name="muted_conversations_user"),)

    def __str__(self) -> str:
        return f"{self.post_id} muted by {self.user_id}"


class PushSubscription(models.Model):
    """The push subscription of one person's browser or app. Source: W3C Push API, PushSubscription.

    `endpoint` is a URL, or the device token of APNs or FCM (`provider`). `failures` counts failed sends in a row. A row
    goes when the session that made it ends; those from before sessions were recorded have none.
    """

    id = IdField()
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    session_id = RemoteKey("auth.Session", gone=Gone.ERASE, null=True, blank=True)
    provider = models.CharField(max_length=10, choices=Provider.choices, db_default=Provider.WEB, default=Provider.WEB)
    endpoint = models.CharField(max_length=2048)
    endpoint_digest = models.CharField(max_length=64, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    language = models.CharField(max_length=10, default="", db_default="", blank=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "push_subscriptions"
        indexes = (models.Index(fields=["user_id", "id"], name="push_subscriptions_user"),)

    def __str__(self) -> str:
        return f"subscription {self.id} of {self.user_id}"


class OutgoingMessage(models.Model):
    """A queued push to one device or mail to one person: about one notification, or (None) a digest.

    It is deleted once sent or no longer wanted; `dead` ones failed permanently and wait for an operator. `claim` names
    the worker run that is sending it until `due_at`. Retries have a `lane` of their own, so that devices that do not
    answer never delay the others.
    """

    id = IdField()
    channel = models.CharField(max_length=10, choices=Channel.choices)
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    notification_id = models.BigIntegerField(null=True, blank=True)
    subscription_id = models.BigIntegerField(null=True, blank=True)
    lane = models.PositiveSmallIntegerField(choices=Lane.choices, default=Lane.FIRST)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    claim = models.CharField(max_length=32, default="", blank=True)
    dead = models.BooleanField(default=False)
    error = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "outgoing_messages"
        indexes = (
            models.Index(fields=["channel", "lane", "dead", "due_at"], name="outgoing_messages_due"),
            models.Index(fields=["claim"], name="outgoing_messages_claim"),
            models.Index(fields=["user_id"], name="outgoing_messages_user"),
            models.Index(fields=["subscription_id"], name="outgoing_messages_device"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.id} for {self.user_id}"
