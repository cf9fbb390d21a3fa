"""The rules of the installation that decisions and reports may name."""

from apps.moderation.queries import rule_with_id
from socialapp.core.errors import Invalid


def rule_text(rule_id: int | None) -> str:
    """A rule's number and words, also of one that has changed since; "" for None, 422 when there is none."""
    if rule_id is None:
        return ""
    rule = rule_with_id(rule_id)
    if rule is None:
        raise Invalid.of("rule_id", "not_found", "There is no such rule.")
    return str(rule)
