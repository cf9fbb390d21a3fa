"""The tables of metrics: deltas, one for each event, and the roll-ups by hour and day that they are added to."""

from django.db import models
from django.utils import timezone

from socialapp.core.db import Gone, IdField, RemoteKey


class Metric(models.TextChoices):
    """The metrics; every roll-up has a column of the same name for each metric that it includes."""

    VIEWS = "views"
    IMPRESSIONS = "impressions"
    REACTIONS = "reactions"
    COMMENTS = "comments"
    REPOSTS = "reposts"
    POSTS = "posts"
    FOLLOWERS = "followers"
    REGISTRATIONS = "registrations"


class MetricDelta(models.Model):
    """One increment that is not in the roll-ups yet.

    Handlers only insert here, so that no two of them wait for the same counter, however popular a post is.
    `post_id` or `author_id` is the owner of the roll-up; `amount` is negative if something was undone.
    `is_again`: something undone was restored; the overall numbers never subtracted it, so they do not add it again.
    """

    id = IdField()
    metric = models.CharField(max_length=16, choices=Metric.choices)
    post_id = RemoteKey("posts.Post", gone=Gone.ERASE, null=True)
    author_id = RemoteKey("users.Profile", gone=Gone.ERASE, null=True)
    at = models.DateTimeField()
    amount = models.IntegerField()
    is_again = models.BooleanField(default=False, db_default=False)
    heard_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "metrics_changes"
        indexes = (
            models.Index(fields=["heard_at", "id"], name="metrics_changes_heard"),
            models.Index(fields=["post_id"], name="metrics_changes_post"),
            models.Index(fields=["author_id"], name="metrics_changes_author"),
        )

    def __str__(self) -> str:
        return f"{self.metric} {self.amount:+d}"


class Post(models.Model):
    """The author of a post. A deleted post stays as a tombstone, so that late events do not bring its numbers back."""

    id = models.BigIntegerField(primary_key=True)
    author_id = RemoteKey("users.Profile", gone=Gone.ERASE, null=True)
    is_deleted = models.BooleanField(default=False)

    class Meta:
        db_table = "metrics_posts"
        indexes = (models.Index(fields=["author_id"], name="metrics_posts_author"),)

    def __str__(self) -> str:
        return str(self.id)


class Rollup(models.Model):
    """The common columns of roll-ups: the length of the period and its start, UTC."""

    class Period(models.TextChoices):
        """The length of a period."""

        HOUR = "hour"
        DAY = "day"

    id = IdField()
    period = models.CharField(max_length=4, choices=Period.choices)
    start = models.DateTimeField()

    class Meta:
        abstract = True


class PostRollup(Rollup):
    """The net engagement with one post in one period."""

    post_id = RemoteKey("posts.Post", gone=Gone.ERASE)
    views = models.BigIntegerField(default=0)
    impressions = models.BigIntegerField(default=0, db_default=0)
    reactions = models.BigIntegerField(default=0)
    comments = models.BigIntegerField(default=0)
    reposts = models.BigIntegerField(default=0)

    class Meta:
        db_table = "metrics_post_rollups"
        constraints = (
            models.UniqueConstraint(fields=["post_id", "period", "start"], name="metrics_post_rollups_once"),
        )
        indexes = (models.Index(fields=["period", "start"], name="metrics_post_rollups_start"),)

    def __str__(self) -> str:
        return f"{self.post_id} {self.period} {self.start:%Y-%m-%d %H:%M}"


class AuthorRollup(Rollup):
    """An author's posts and followers in one period, net. Engagement is the sum over the author's posts."""

    author_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    posts = models.BigIntegerField(default=0)
    followers = models.BigIntegerField(default=0)

    class Meta:
        db_table = "metrics_author_rollups"
        constraints = (
            models.UniqueConstraint(fields=["author_id", "period", "start"], name="metrics_author_rollups_once"),
        )
        indexes = (models.Index(fields=["period", "start"], name="metrics_author_rollups_start"),)

    def __str__(self) -> str:
        return f"{self.author_id} {self.period} {self.start:%Y-%m-%d %H:%M}"


class OverallRollup(Rollup):
    """What everybody did in one period. It is history: undoing something later does not change it."""

    posts = models.BigIntegerField(default=0)
    comments = models.BigIntegerField(default=0)
    reactions = models.BigIntegerField(default=0)
    reposts = models.BigIntegerField(default=0)
    views = models.BigIntegerField(default=0)
    impressions = models.BigIntegerField(default=0, db_default=0)
    registrations = models.BigIntegerField(default=0)

    class Meta:
        db_table = "metrics_overall_rollups"
        constraints = (models.UniqueConstraint(fields=["period", "start"], name="metrics_overall_rollups_once"),)

    def __str__(self) -> str:
        return f"{self.period} {self.start:%Y-%m-%d %H:%M}"
