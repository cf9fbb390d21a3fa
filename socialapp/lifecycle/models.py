"""The lifecycle tables of every context's database: tombstones, jobs, and the last runs."""

from django.db import models

from socialapp.core.db import IdField


class Tombstone(models.Model):
    """A user, post or comment that was deleted: late events about it must not create rows again.

    Ids are unique over all contexts, so one key serves every kind.
    """

    class Kind(models.TextChoices):
        """What was deleted."""

        USER = "user"
        POST = "post"
        COMMENT = "comment"

    subject_id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "tombstones"
        indexes = (models.Index(fields=["kind", "created_at"], name="tombstones_recent"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class Job(models.Model):
    """Work too large for one transaction: a task takes step after step until nothing is left, then deletes the row.

    `reference` distinguishes jobs of one name and subject; for the erasure of a user it is the erasure's id, and
    `rows` is what was held about them at the beginning, by table.
    """

    id = IdField()
    name = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    reference = models.BigIntegerField(default=0)
    rows = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "jobs"
        constraints = (models.UniqueConstraint(fields=["name", "subject_id", "reference"], name="jobs_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.subject_id}"


class CompletedRun(models.Model):
    """When a backup or a verification was last finished, and how many problems it found."""

    class Name(models.TextChoices):
        """What was run."""

        BACKUP = "backup"
        VERIFY = "verify"

    name = models.CharField(max_length=20, choices=Name.choices, primary_key=True)
    finished_at = models.DateTimeField()
    problems = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "completed_runs"

    def __str__(self) -> str:
        return f"{self.name} at {self.finished_at}"
