"""What rules refuse before it is published."""

from apps.moderation.access.screening import Document, meets
from apps.moderation.models import TargetType, WordRule
from apps.moderation.queries.cases import Target
from apps.moderation.queries.rules import active_word_rules
from socialapp.core.text.urls import link_hosts

_IN_PROFILES = (WordRule.Kind.WORDS, WordRule.Kind.DOMAIN)
_WITHOUT_OTHERS = (*_IN_PROFILES, WordRule.Kind.RATE, WordRule.Kind.NEW_ACCOUNT)


def refusal_of(*, author_id: int, text: str, is_profile: bool = False) -> str:
    """Why a text may not be published; "" when no rule refuses it. One query unless there are such rules.

    What needs a look at media or behind short links is found after it was published, and removed then.
    """
    rejecting = [rule for rule in active_word_rules() if rule.action == WordRule.Effect.REJECT]
    if not rejecting:
        return ""
    kinds, kind = (_IN_PROFILES, TargetType.USER) if is_profile else (_WITHOUT_OTHERS, TargetType.POST)
    document = Document(Target(kind, 0, author_id), text, has_link=bool(link_hosts(text)))
    for rule in rejecting:
        if rule.kind in kinds and meets(rule, document=document):
            return "a rule of this site refuses this text"
    return ""
