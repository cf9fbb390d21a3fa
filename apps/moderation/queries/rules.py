"""The rules of the installation, and the word rules."""

from apps.moderation.models import InstanceRule, WordRule


def present_rules() -> list[InstanceRule]:
    """The rules of the installation in their present words, in order."""
    return list(InstanceRule.objects.filter(retired_at=None).order_by("number", "id"))


def rule_with_id(rule_id: int) -> InstanceRule | None:
    """A rule, also one that has changed or was retired since."""
    return InstanceRule.objects.filter(id=rule_id).first()


def active_word_rules() -> list[WordRule]:
    """The word rules that are switched on."""
    return list(WordRule.objects.filter(is_active=True))
