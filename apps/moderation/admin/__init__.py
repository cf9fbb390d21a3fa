"""Admin pages of moderation: the queue of cases, appeals, rules, and the log of decisions."""

from apps.moderation.admin.cases import CaseAdmin, ReportAdmin
from apps.moderation.admin.log import (
    ActionAdmin,
    AppealAdmin,
    CaseNoteAdmin,
    LogHeadAdmin,
    SignedHeadAdmin,
    SuspensionAdmin,
)
from apps.moderation.admin.rules import BlockAdmin, InstanceRuleAdmin, ReasonTemplateAdmin, RuleHitAdmin, WordRuleAdmin
from apps.moderation.admin.team import BulkDecisionAdmin, ProposalAdmin

__all__ = [
    "ActionAdmin",
    "AppealAdmin",
    "BlockAdmin",
    "BulkDecisionAdmin",
    "CaseAdmin",
    "CaseNoteAdmin",
    "InstanceRuleAdmin",
    "LogHeadAdmin",
    "ProposalAdmin",
    "ReasonTemplateAdmin",
    "ReportAdmin",
    "RuleHitAdmin",
    "SignedHeadAdmin",
    "SuspensionAdmin",
    "WordRuleAdmin",
]
