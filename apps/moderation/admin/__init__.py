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
from apps.moderation.admin.rules import InstanceRuleAdmin, WordRuleAdmin

__all__ = [
    "ActionAdmin",
    "AppealAdmin",
    "CaseAdmin",
    "CaseNoteAdmin",
    "InstanceRuleAdmin",
    "LogHeadAdmin",
    "ReportAdmin",
    "SignedHeadAdmin",
    "SuspensionAdmin",
    "WordRuleAdmin",
]
