"""SQL of the installation's rules and of word rules."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from apps.moderation.models import Block, InstanceRule, ReasonTemplate, RuleHit, SeenText, WordRule
from apps.moderation.queries.cases import Target


def present_rules() -> list[InstanceRule]:
    """The present versions of the installation's rules, in order."""
    return list(InstanceRule.objects.filter(retired_at=None).order_by("number", "id"))


def reason_templates() -> list[ReasonTemplate]:
    """The templates of reasons, by name."""
    return list(ReasonTemplate.objects.order_by("name"))


def rule_with_id(rule_id: int) -> InstanceRule | None:
    """A rule, even if changed or retired since."""
    return InstanceRule.objects.filter(id=rule_id).first()


def active_word_rules() -> list[WordRule]:
    """The active word rules."""
    return list(WordRule.objects.filter(is_active=True))


def hits_of(rules: Sequence[WordRule], *, target: Target) -> int:
    """How many of the rules have matched the target before."""
    return RuleHit.objects.filter(rule__in=rules, target_type=target.type, target_id=target.id).count()


def texts_by(author_id: int, *, since: datetime) -> int:
    """How many posts and comments somebody has written since then."""
    return SeenText.objects.filter(author_id=author_id, written_at__gte=since).count()


def texts_like(digest: str, *, but: Target) -> int:
    """How many other texts of the last month are identical."""
    return SeenText.objects.filter(digest=digest).exclude(target_type=but.type, target_id=but.id).count()


def texts_since(since: datetime, *, limit: int) -> list[Target]:
    """The texts since then, newest first."""
    rows = SeenText.objects.filter(written_at__gte=since).order_by("-written_at", "-id")[:limit]
    return [Target(row.target_type, row.target_id, row.author_id) for row in rows]


def blocks_in_force() -> list[Block]:
    """The blocks of sign-ups that have not expired."""
    return list(Block.objects.filter(Q(until=None) | Q(until__gt=timezone.now())))
