"""The rules of the installation that decisions and reports may refer to."""

from apps.moderation.queries import rule_with_id
from socialapp.core.errors import Invalid


def rule_text(rule_id: int | None) -> str:
    """A rule's number and text, even if it was changed since; "" for None, Invalid for an unknown rule."""
    if rule_id is None:
        return ""
    rule = rule_with_id(rule_id)
    if rule is None:
        raise Invalid.of("rule_id", "not_found", "There is no such rule.")
    return str(rule)
