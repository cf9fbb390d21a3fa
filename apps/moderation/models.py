"""The tables of moderation: reports, the cases that collect them, the log of what was done, appeals and rules."""

from typing import Any

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
    """Why something is reported."""

    SPAM = "spam"
    ABUSE = "abuse"
    HATE = "hate"
    VIOLENCE = "violence"
    NUDITY = "nudity"
    SELF_HARM = "self_harm", "self-harm"
    ILLEGAL = "illegal"
    OTHER = "other"


class Outcome(models.TextChoices):
    """How a case, and with it its reports, was decided."""

    REMOVED = "removed"
    SANCTIONED = "sanctioned"
    DISMISSED = "dismissed"
    GONE = "gone"  # its author deleted it before anybody decided


class Case(models.Model):
    """What moderators decide on: one target, with everything that was reported about it since it was last decided.

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
    language = models.CharField(max_length=2, blank=True, default="", db_default="")  # a guess, to sort the queue by
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
        """Its author and first words, where they were filled in."""
        by = "" if self.target_type == TargetType.USER else "by "
        named = f"{self.get_target_type_display()}{f' {by}@{self.author_name}' if self.author_name else ''}"
        if self.preview:
            return f"{named}: {Truncator(self.preview).chars(60)}"
        return named if self.author_name else f"{named} {self.target_id or '(erased)'}"

    # What moderators see beside the row: filled in for a whole page of cases at once, never stored.
    preview = ""
    author_name = ""
    reasons = ""

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.closed_at is None


class Report(models.Model):
    """Somebody's word that a target breaks the rules. `open_key` keeps one person to one open report a target."""

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


class LogHead(models.Model):
    """The end of the log of actions: one row, locked while the next action is added, so that the chain never forks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "action_log_head"

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class Action(models.Model):
    """One entry in the log of what moderation did: never changed, never deleted, each chained to the one before.

    `content_hash` is taken over the entry's content and a random salt, `hash` over the entry before and
    `content_hash`. When a person is erased, their traces in an entry and the salt go; the chain still holds, and a
    later entry of kind `redact_entries` names the entry, so that no other change can pass for an erasure.
    """

    class Kind(models.TextChoices):
        """What was done."""

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
        HOLD_CONTENT = "hold_content"  # by a rule: hidden until a moderator has looked at it
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
        verbose_name = "log entry"
        verbose_name_plural = "log of decisions"
        indexes = (
            models.Index(fields=["user_id", "-id"], name="actions_user"),
            models.Index(fields=["moderator_id"], name="actions_moderator"),
            models.Index(fields=["target_type", "target_id"], name="actions_target"),
        )

    # What moderators see beside the row: filled in for a whole page at once, never stored.
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


class Appeal(models.Model):
    """The request of the person concerned to look at an action again; one for each action."""

    class Status(models.TextChoices):
        """How far it has come."""

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

    # What moderators see beside the row: filled in for a whole page at once, never stored.
    user_name = ""
    content = ""

    def __str__(self) -> str:
        return f"appeal {self.id}"


class Suspension(models.Model):
    """A ban, silence or limit that ends by itself at `until`; the row goes with it."""

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


class CaseNote(models.Model):
    """Notes of moderators to each other about a case; nobody else reads it."""

    id = IdField()
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    moderator_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    text = models.CharField(max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "case_notes"

    def __str__(self) -> str:
        return f"note {self.id} on case {self.case_id}"


class InstanceRule(models.Model):
    """A rule of this installation, in one version.

    A change of its words makes a new row with the same number, so that what was decided by a rule keeps its words.
    """

    id = IdField()
    number = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField(default=1)
    text = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "instance_rules"
        constraints = (models.UniqueConstraint(fields=["number", "version"], name="instance_rules_once"),)

    def __str__(self) -> str:
        return f"{self.number}. {self.text}"


class ReasonTemplate(models.Model):
    """Words that moderators use again and again to say why, with the rule of the installation that they refer to.

    The rule is named by its number, so that a template goes on to mean the present version of its words.
    """

    id = IdField()
    name = models.CharField(max_length=60, unique=True)
    text = models.CharField(max_length=1000, help_text="Sent to the person.")
    rule_number = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the installation's rules.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "reason_templates"

    def __str__(self) -> str:
        return self.name


class SignedHead(models.Model):
    """The end of the log at a moment, signed with a key that the database does not hold.

    Who can write to the database can rebuild the whole chain, but cannot sign it.
    """

    sequence = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "signed_log_heads"

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class WordRule(models.Model):
    """What is looked for in everything that is written, and what happens to a text in which it is found.

    `pattern` depends on the kind: words, where `*` stands for any letters; a domain with those below it; the SHA-256 of
    an uploaded file; so many posts and comments in so many minutes ("20/10"); days since the sign-up ("3").
    """

    class Kind(models.TextChoices):
        """What is looked for."""

        WORDS = "words"
        DOMAIN = "domain", "links to a domain"
        MEDIA = "media", "a media file"
        RATE = "rate", "rate of posting"
        NEW_ACCOUNT = "new_account", "new account"
        SPAM = "spam", "spam score"

    class Effect(models.TextChoices):
        """What happens, the mildest first."""

        FLAG = "flag"
        SILENCE = "silence", "silence the author"
        HOLD = "hold", "hold for a moderator"
        REMOVE = "remove"
        REJECT = "reject"

    id = IdField()
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.WORDS, db_default="words")
    pattern = models.CharField(
        max_length=100,
        unique=True,
        help_text="A word or phrase (* stands for any letters), a domain, the SHA-256 of a file, posts/minutes such as"
        " 20/10, days since the sign-up, or a spam score from 1 to 100.",
    )
    action = models.CharField(max_length=8, choices=Effect.choices, default=Effect.FLAG)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "word_rules"
        verbose_name = "rule"

    def __str__(self) -> str:
        return self.pattern


class RuleHit(models.Model):
    """A rule found something: what, and what happened to it."""

    id = IdField()
    rule = models.ForeignKey(WordRule, on_delete=models.CASCADE, related_name="hits")
    target_type = models.CharField(max_length=8, choices=TargetType.choices)
    target_id = models.BigIntegerField()
    author_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    effect = models.CharField(max_length=8, choices=WordRule.Effect.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "rule_hits"
        constraints = (models.UniqueConstraint(fields=["rule", "target_type", "target_id"], name="rule_hits_once"),)
        indexes = (models.Index(fields=["author_id"], name="rule_hits_author"),)

    def __str__(self) -> str:
        return f"{self.rule_id} found {self.target_type} {self.target_id}"


class SeenText(models.Model):
    """That somebody wrote something, for a month: for rates, repetitions, and trying rules. Its text is not kept."""

    id = IdField()
    target_type = models.CharField(max_length=8, choices=TargetType.choices)
    target_id = models.BigIntegerField()
    author_id = RemoteKey("users.Profile", gone=Gone.ERASE)
    digest = models.CharField(max_length=64)  # keyed, of the normalized text
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "seen_texts"
        constraints = (models.UniqueConstraint(fields=["target_type", "target_id"], name="seen_texts_once"),)
        indexes = (
            models.Index(fields=["author_id", "written_at"], name="seen_texts_author"),
            models.Index(fields=["digest"], name="seen_texts_digest"),
            models.Index(fields=["written_at"], name="seen_texts_time"),
        )

    def __str__(self) -> str:
        return f"{self.target_type} {self.target_id}"


class Block(models.Model):
    """Addresses from which nobody signs up: the domain of an e-mail address, or a range of network addresses."""

    class Kind(models.TextChoices):
        """What is blocked."""

        EMAIL_DOMAIN = "email_domain", "e-mail domain"
        ADDRESSES = "addresses", "network addresses"

    id = IdField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.CharField(max_length=253, unique=True, help_text="Such as example.org, or 192.0.2.0/24.")
    reason = models.CharField(max_length=500, blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is deleted.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sign_up_blocks"
        verbose_name = "block of sign-ups"
        verbose_name_plural = "blocks of sign-ups"

    def __str__(self) -> str:
        return self.value


class Proposal(models.Model):
    """A decision about an administrator, which a second administrator has to confirm."""

    class Outcome(models.TextChoices):
        """What became of it."""

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

    # What administrators see beside the row: filled in for a whole page at once, never stored.
    user_name = ""
    moderator_name = ""

    def __str__(self) -> str:
        return f"{self.decision} {self.target_type} {self.target_id}"


class BulkDecision(models.Model):
    """One decision about many cases, carried out a part at a time."""

    id = IdField()
    decision = models.CharField(max_length=16)
    reason = models.CharField(max_length=1000)
    moderator_id = RemoteKey("auth.User", gone=Gone.ANONYMIZE, null=True)
    case_ids = models.JSONField()  # those that are left
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
        """How many cases have had their turn."""
        return self.total - len(self.case_ids)
