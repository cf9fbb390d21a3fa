"""Word rules: kept by moderators, applied to every text that is written or changed."""

from apps.moderation.access.word_rules import plain_pattern, rules_matching
from apps.moderation.actions.cases import open_case
from apps.moderation.actions.decisions import write_removal
from apps.moderation.actions.log import add_entry
from apps.moderation.actions.sanctions import reset_profile_by_rule
from apps.moderation.models import Action, TargetType, WordRule
from apps.moderation.queries.cases import Target
from socialapp.core.db import transactional
from socialapp.lifecycle.removal import gone_among


@transactional("moderation")
def set_word_rule(
    *, moderator_id: int, pattern: str, effect: str, is_active: bool, rule_id: int | None = None
) -> WordRule:
    """Makes a rule, or changes the one with `rule_id`; 422 for a pattern that is none."""
    plain = plain_pattern(pattern)
    values = {"pattern": plain, "action": WordRule.Effect(effect), "is_active": is_active}
    if rule_id is None:
        rule = WordRule.objects.create(**values)
    else:
        rule, _ = WordRule.objects.update_or_create(id=rule_id, defaults=values)
    state = "on" if is_active else "off"
    add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"{plain}: {effect}, {state}")
    return rule


@transactional("moderation")
def delete_word_rule(*, moderator_id: int, rule_id: int) -> None:
    """Deletes a rule. Idempotent."""
    rule = WordRule.objects.filter(id=rule_id).first()
    if rule is not None:
        rule.delete()
        add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"{rule.pattern}: deleted")


@transactional("moderation")
def check_text(*, target: Target, text: str) -> None:
    """Applies the rules to a text: the strictest that matches removes it, or opens a case about it. Idempotent.

    A profile is emptied instead of removed.

    Nothing happens when its author was erased meanwhile.
    """
    if gone_among("moderation", [target.author_id]):
        return
    rules = rules_matching(text)
    words = ", ".join(rule.pattern for rule in rules)[:200]
    is_removal = any(rule.action == WordRule.Effect.REMOVE for rule in rules)
    if is_removal and target.type == TargetType.USER:
        reset_profile_by_rule(user_id=target.author_id, reason=f"word rule: {words}")
    elif is_removal:
        write_removal(moderator_id=None, target=target, reason=f"word rule: {words}")
    elif rules:
        open_case(target, flagged_words=words)
