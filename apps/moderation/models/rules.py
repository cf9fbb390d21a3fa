"""Rules of the installation, word rules with their matches, blocks of sign-ups, and templates of reasons."""

from django.db import models
from django.utils import timezone

from apps.moderation.models.cases import TargetType
from socialapp.core.db import Gone, IdField, RemoteKey


class InstanceRule(models.Model):
    """A rule of this installation, in one version.

    A changed text is a new row with the same number, so that decisions by a rule keep its text.
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
    """A reusable reason, with the rule of the installation that it refers to.

    The rule is stored by number, so that the template refers to its present version.
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
    """A rule that is matched against everything that is written, and its consequence.

    `pattern` depends on the kind: words, with `*` for any letters; a domain including subdomains; the SHA-256 of an
    uploaded file; posts and comments per minutes ("20/10"); days since the sign-up ("3").
    """

    class Kind(models.TextChoices):
        """What a rule matches."""

        WORDS = "words"
        DOMAIN = "domain", "links to a domain"
        MEDIA = "media", "a media file"
        RATE = "rate", "rate of posting"
        NEW_ACCOUNT = "new_account", "new account"
        SPAM = "spam", "spam score"

    class Effect(models.TextChoices):
        """The consequences, mildest first."""

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
    """A match of a rule, and its consequence."""

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
    """A record that somebody wrote something, for a month: for rates, repetitions, and trials. The text is not
    stored."""

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
    """A block of sign-ups: by the domain of an e-mail address, or a range of network addresses."""

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
