"""Screening: what word rules refuse or hold back before it is published."""

from apps.moderation.access.screening import IN_PROFILES, Document, rule_matches, text_digest
from apps.moderation.models import TargetType, WordRule
from apps.moderation.queries import Target, active_word_rules, hits_of
from socialapp.contracts.moderation import Screening
from socialapp.core.text.urls import link_hosts

_IN_TEXTS = (*IN_PROFILES, WordRule.Kind.RATE, WordRule.Kind.NEW_ACCOUNT, WordRule.Kind.SPAM)


def screen_text(*, target: Target, text: str) -> Screening:
    """Whether a text may be published. `target` is its target, with the id 0 if it is new.

    One query unless there are rules that refuse or hold. Rules about media or short links are applied after
    publication, and remove or hold the text then.
    """
    is_profile = target.type == TargetType.USER
    kinds = IN_PROFILES if is_profile else _IN_TEXTS
    effects = (WordRule.Effect.REJECT,) if is_profile else (WordRule.Effect.REJECT, WordRule.Effect.HOLD)
    rules = [rule for rule in active_word_rules() if rule.action in effects and rule.kind in kinds]
    if not rules:
        return Screening()
    document = Document(target, text, has_link=bool(link_hosts(text)), digest=text_digest(text))
    matched = [rule for rule in rules if rule_matches(rule, document=document)]
    if any(rule.action == WordRule.Effect.REJECT for rule in matched):
        return Screening(refusal="a rule of this site refuses this text")
    return Screening(is_held=_holds(matched, target=target))


def _holds(rules: list[WordRule], *, target: Target) -> bool:
    """Whether one of the rules matches the target for the first time; otherwise a moderator has reviewed it already."""
    if not rules or target.id == 0:
        return bool(rules)
    return hits_of(rules, target=target) < len(rules)
