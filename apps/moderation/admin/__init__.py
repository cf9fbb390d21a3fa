"""Where moderators work: the queue of cases, appeals, word rules, and the log of what was done."""

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
