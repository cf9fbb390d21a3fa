"""What is looked for, and what moderators go by: rules of the installation and of words, blocks, templates."""

from django.db import models
from django.utils import timezone

from apps.moderation.models.cases import TargetType
from socialapp.core.db import Gone, IdField, RemoteKey


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
