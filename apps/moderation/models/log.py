"""The hash-chained log of decisions, its signed heads, appeals, suspensions, and proposals."""

from typing import Any

from django.db import models
from django.utils import timezone

from apps.moderation.models.cases import TargetType
from socialapp.core.db import Gone, IdField, RemoteKey


class LogHead(models.Model):
    """The head of the log: one row, locked while the next entry is added, so that the chain never forks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "action_log_head"

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class Action(models.Model):
    """One entry in the log of decisions: never changed, never deleted, each chained to the one before.

    `content_hash` is taken over the entry's content and a random salt, `hash` over the previous entry's hash and
    `content_hash`. When a person is erased, the entry is redacted and its salt deleted; the chain stays valid, and a
    later entry of kind `redact_entries` lists the entry, so that no other change can pass for an erasure.
    """

    class Kind(models.TextChoices):
        """The kinds of entry."""

        REMOVE_CONTENT = "remove_content"
        RESTORE_CONTENT = "restore_content"
        WARN_USER = "warn_user"
        BAN_USER = "ban_user"
        UNBAN_USER = "unban_user"
        SILENCE_USER = "silence_user"
        UNSILENCE_USER = "unsilence_user"
        LIMIT_USER = "limit_user"
        UNLIMIT_USER = "unlimit_user"
        LIMIT_LINKS = "limit_links"
        UNLIMIT_LINKS = "unlimit_links"
        LIMIT_MEDIA = "limit_media"
        UNLIMIT_MEDIA = "unlimit_media"
        DEMAND_PASSWORD = "demand_password"  # noqa: S105 (a kind of decision)
        WAIVE_PASSWORD = "waive_password"  # noqa: S105 (a kind of decision)
        RESET_PROFILE = "reset_profile"
        RESTORE_PROFILE = "restore_profile"
        MARK_SENSITIVE = "mark_sensitive"
        UNMARK_SENSITIVE = "unmark_sensitive"
        HIDE_CONTENT = "hide_content"
        UNHIDE_CONTENT = "unhide_content"
        HOLD_CONTENT = "hold_content"  # by a rule: hidden until a moderator has reviewed it
        RELEASE_CONTENT = "release_content"
        LOCK_COMMENTS = "lock_comments"
        UNLOCK_COMMENTS = "unlock_comments"
        DISMISS_CASE = "dismiss_case"
        DECIDE_APPEAL = "decide_appeal"
        CHANGE_RULE = "change_rule"
        REDACT_ENTRIES = "redact_entries"

    id = IdField()
    sequence = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    moderator_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    user_id = RemoteKey("users.Profile", gone=Gone.ANONYMIZE, null=True)
    target_type = models.CharField(max_length=8, choices=TargetType.choices, blank=True)
    target_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    reason = models.TextField(blank=True)
    note = models.CharField(max_length=1000, blank=True, default="", db_default="")  # for moderators alone
    rule_id = models.BigIntegerField(null=True)
    until = models.DateTimeField(null=True)
    reverses_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    salt = models.CharField(max_length=32, blank=True)
    is_redacted = models.BooleanField(default=False)
    content_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "actions"
        verbose_name = "logged decision"
        indexes = (
            models.Index(fields=["user_id", "-id"], name="actions_user"),
            models.Index(fields=["moderator_id"], name="actions_moderator"),
            models.Index(fields=["target_type", "target_id"], name="actions_target"),
        )

    # For display: filled in for a whole page at once, never stored.
    moderator_name = ""
    user_name = ""

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"

    def save(self, **options: Any) -> None:
        """Adds an entry; one that exists is never written again."""
        if not self._state.adding:
            raise TypeError("entries of the log are never changed")
        super().save(**options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Refused: the log only grows."""
        raise TypeError("entries of the log are never deleted")


class SignedHead(models.Model):
    """The head of the log at a moment, signed with a key that the database does not contain.

    Write access to the database is enough to rebuild the whole chain, but not to sign it.
    """

    sequence = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "signed_log_heads"

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class Appeal(models.Model):
    """A request of the person concerned to review an action; one per action."""

    class Status(models.TextChoices):
        """The state of an appeal."""

        OPEN = "open"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    id = IdField()
    action = models.OneToOneField(Action, on_delete=models.PROTECT, related_name="appeal")
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    text = models.CharField(max_length=2000)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    answer = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "appeals"
        indexes = (models.Index(fields=["user_id", "-id"], name="appeals_user"),)

    # For display: filled in for a whole page at once, never stored.
    user_name = ""
    content = ""

    def __str__(self) -> str:
        return f"appeal {self.id}"


class Suspension(models.Model):
    """A ban, silence or limit that ends at `until`; the row is deleted then."""

    id = IdField()
    action_id = models.BigIntegerField(unique=True)
    user_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    kind = models.CharField(max_length=16, default=Action.Kind.BAN_USER, db_default="ban_user")
    until = models.DateTimeField()

    class Meta:
        db_table = "suspensions"
        indexes = (
            models.Index(fields=["until"], name="suspensions_due"),
            models.Index(fields=["user_id"], name="suspensions_user"),
        )

    def __str__(self) -> str:
        return f"user {self.user_id} until {self.until}"


class Proposal(models.Model):
    """A decision about an administrator that a second administrator must confirm."""

    class Outcome(models.TextChoices):
        """The state of a proposal."""

        OPEN = "open"
        CONFIRMED = "confirmed"
        WITHDRAWN = "withdrawn"

    id = IdField()
    decision = models.CharField(max_length=16)
    target_type = models.CharField(max_length=8, choices=TargetType.choices)
    target_id = models.BigIntegerField()
    author_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    case_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=1000)
    note = models.CharField(max_length=1000, blank=True)
    rule_id = models.BigIntegerField(null=True)
    days = models.PositiveIntegerField(null=True)
    proposed_by_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    decided_by_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "proposals"
        indexes = (models.Index(fields=["author_id"], name="proposals_author"),)

    def __str__(self) -> str:
        return f"{self.decision} {self.target_type} {self.target_id}"
