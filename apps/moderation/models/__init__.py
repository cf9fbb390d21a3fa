"""The tables of moderation: reports, the cases that collect them, the log of what was done, appeals and rules."""

from apps.moderation.models.cases import BulkDecision, Case, CaseNote, Outcome, Reason, Report, TargetType
from apps.moderation.models.log import Action, Appeal, LogHead, Proposal, SignedHead, Suspension
from apps.moderation.models.rules import Block, InstanceRule, ReasonTemplate, RuleHit, SeenText, WordRule

__all__ = [
    "Action",
    "Appeal",
    "Block",
    "BulkDecision",
    "Case",
    "CaseNote",
    "InstanceRule",
    "LogHead",
    "Outcome",
    "Proposal",
    "Reason",
    "ReasonTemplate",
    "Report",
    "RuleHit",
    "SeenText",
    "SignedHead",
    "Suspension",
    "TargetType",
    "WordRule",
]
