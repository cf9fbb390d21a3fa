"""Everything that changes moderation's state; what concerns other contexts is published to them."""

from apps.moderation.actions.appeals import decide_appeal, file_appeal
from apps.moderation.actions.cases import close_case_of_gone_target, file_report
from apps.moderation.actions.decisions import ban_user, dismiss_case, remove_content, unban_user, warn_user
from apps.moderation.actions.projections import check_reports_counts
from apps.moderation.actions.rules import check_text, delete_word_rule, set_word_rule

__all__ = [
    "ban_user",
    "check_reports_counts",
    "check_text",
    "close_case_of_gone_target",
    "decide_appeal",
    "delete_word_rule",
    "dismiss_case",
    "file_appeal",
    "file_report",
    "remove_content",
    "set_word_rule",
    "unban_user",
    "warn_user",
]
