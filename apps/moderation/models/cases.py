"""Reports, cases, notes on cases, and bulk decisions."""

from django.db import models
from django.utils import timezone
from django.utils.text import Truncator

from socialapp.core.db import Gone, IdField, RemoteKey


class TargetType(models.TextChoices):
    """What can be reported."""

    USER = "user"
    POST = "post"
    COMMENT = "comment"


class Reason(models.TextChoices):
    """The reasons of reports."""

    SPAM = "spam"
    ABUSE = "abuse"
    HATE = "hate"
    VIOLENCE = "violence"
    NUDITY = "nudity"
    SELF_HARM = "self_harm", "self-harm"
    ILLEGAL = "illegal"
    OTHER = "other"


class Outcome(models.TextChoices):
    """The outcomes of a case and its reports."""

    REMOVED = "removed"
    SANCTIONED = "sanctioned"
    DISMISSED = "dismissed"
    GONE = "gone"  # deleted by its author before a decision


class Case(models.Model):
    """What moderators decide on: a target with the reports about it since the last decision.

    `open_key` is the target while the case is open, so that there is at most one open case for it.
    """

    id = IdField()
    target_type = models.CharField(max_length=8, choices=TargetType.choices)
    target_id = models.BigIntegerField(null=True)
    author_id = RemoteKey("users.Profile", gone=Gone.ANONYMIZE, null=True)
    open_key = models.CharField(max_length=32, null=True, unique=True)
    reports_count = models.PositiveIntegerField(default=0)
    score = models.FloatField(default=0, db_default=0)  # reports, each weighed by its reporter's record
    flagged_words = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=2, blank=True, default="", db_default="")  # detected, to filter the queue
    assigned_to_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    assigned_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases"
        indexes = (
            models.Index(fields=["author_id"], name="cases_author"),
            models.Index(fields=["target_type", "target_id"], name="cases_target"),
            models.Index(fields=["closed_at", "-reports_count"], name="cases_queue"),
            models.Index(fields=["closed_at", "-score"], name="cases_by_score"),
        )

    def __str__(self) -> str:
        """Its author and first words, if filled in."""
        by = "" if self.target_type == TargetType.USER else "by "
        named = f"{self.get_target_type_display()}{f' {by}@{self.author_name}' if self.author_name else ''}"
        if self.preview:
            return f"{named}: {Truncator(self.preview).chars(60)}"
        return named if self.author_name else f"{named} {self.target_id or '(erased)'}"

    # For display: filled in for a whole page of cases at once, never stored.
    preview = ""
    author_name = ""
    reasons = ""

    @property
    def is_open(self) -> bool:
        """Whether it awaits a decision."""
        return self.closed_at is None


class Report(models.Model):
    """A report of a target by a person. `open_key` limits people to one open report per target."""

    id = IdField()
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reports")
    reporter_id = RemoteKey("users.Profile", gone=Gone.ANONYMIZE, null=True)
    target_type = models.CharField(max_length=8, choices=TargetType.choices)
    target_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    details = models.CharField(max_length=1000, blank=True)
    rule_id = models.BigIntegerField(null=True)
    open_key = models.CharField(max_length=64, null=True, unique=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reports"
        indexes = (
            models.Index(fields=["reporter_id", "-id"], name="reports_reporter"),
            models.Index(fields=["target_type", "target_id"], name="reports_target"),
        )

    def __str__(self) -> str:
        return f"{self.reason} {self.target_type} {self.target_id or '(erased)'}"


class CaseNote(models.Model):
    """A moderator's internal note on a case."""

    id = IdField()
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    moderator_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    text = models.CharField(max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "case_notes"

    def __str__(self) -> str:
        return f"note {self.id} on case {self.case_id}"


class BulkDecision(models.Model):
    """One decision about many cases, executed in steps."""

    id = IdField()
    decision = models.CharField(max_length=16)
    reason = models.CharField(max_length=1000)
    moderator_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    case_ids = models.JSONField()  # remaining cases
    total = models.PositiveIntegerField()
    failed = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)  # the first few refusals
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_decisions"

    def __str__(self) -> str:
        return f"{self.decision}: {self.done} of {self.total}"

    @property
    def done(self) -> int:
        """How many cases were processed."""
        return self.total - len(self.case_ids)
