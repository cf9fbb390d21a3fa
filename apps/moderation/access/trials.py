"""Trials of a rule on recent texts, before it is activated."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.moderation.access.screening import Document, rule_matches
from apps.moderation.access.targets import documents_to_check
from apps.moderation.models import TargetType, WordRule
from apps.moderation.queries import texts_since

MOST_DAYS = 30
_MOST_TEXTS = 2000
_BATCH = 200
_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """How many texts were checked, how many a rule would have matched, and the newest of these."""

    looked_at: int
    hits: int
    shown: list[Document]


def try_rule(rule: WordRule, *, days: int) -> Trial:
    """What a rule would have matched in the last days, among the newest 2,000 texts; nothing is done to them.

    Three calls per 200 texts. Rates are measured as of now.
    """
    targets = texts_since(timezone.now() - timedelta(days=min(days, MOST_DAYS)), limit=_MOST_TEXTS)
    hits: list[Document] = []
    looked_at = 0
    for start in range(0, len(targets), _BATCH):
        part = targets[start : start + _BATCH]
        documents = documents_to_check(
            post_ids=[target.id for target in part if target.type == TargetType.POST],
            comment_ids=[target.id for target in part if target.type == TargetType.COMMENT],
            rules=[rule],
        )
        looked_at += len(documents)
        hits += [document for document in documents if rule_matches(rule, document=document)]
    return Trial(looked_at, len(hits), hits[:_MOST_SHOWN])
