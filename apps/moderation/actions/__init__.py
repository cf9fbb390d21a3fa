"""Writes of moderation; what concerns other contexts is published to them."""

import apps.moderation.actions.erasure  # noqa: F401  (declares the removal)
from apps.moderation.actions.acts import Act, carry_out
from apps.moderation.actions.appeals import decide_appeal, file_appeal
from apps.moderation.actions.bulk import (
    MOST_AT_ONCE,
    carry_out_for_case,
    continue_bulk_decisions,
    start_bulk_decision,
)
from apps.moderation.actions.cases import (
    add_note,
    assign_case,
    close_case_of_gone_target,
    file_report,
    refuse_media,
    reopen_case,
    take_next_case,
)
from apps.moderation.actions.decisions import (
    DEFAULT_REASON,
    Decision,
    default_reason,
    dismiss_case,
    remove_content,
    restore_content,
    restrict_content,
)
from apps.moderation.actions.drift import check_reports_counts
from apps.moderation.actions.instance_rules import (
    delete_reason_template,
    retire_instance_rule,
    set_instance_rule,
    set_reason_template,
)
from apps.moderation.actions.lifting import lift_action
from apps.moderation.actions.proposals import confirm_proposal, propose, withdraw_proposal
from apps.moderation.actions.rules import (
    check_document,
    check_text,
    delete_block,
    delete_word_rule,
    forget_old_texts,
    record_texts,
    set_block,
    set_word_rule,
)
from apps.moderation.actions.sanctions import (
    ban_user,
    end_suspension,
    sanction_by_operator,
    sanction_user,
    suspend_user,
    unban_user,
    warn_user,
)
from apps.moderation.actions.signing import sign_head

__all__ = [
    "DEFAULT_REASON",
    "MOST_AT_ONCE",
    "Act",
    "Decision",
    "add_note",
    "assign_case",
    "ban_user",
    "carry_out",
    "carry_out_for_case",
    "check_document",
    "check_reports_counts",
    "check_text",
    "close_case_of_gone_target",
    "confirm_proposal",
    "continue_bulk_decisions",
    "decide_appeal",
    "default_reason",
    "delete_block",
    "delete_reason_template",
    "delete_word_rule",
    "dismiss_case",
    "end_suspension",
    "file_appeal",
    "file_report",
    "forget_old_texts",
    "lift_action",
    "propose",
    "record_texts",
    "refuse_media",
    "remove_content",
    "reopen_case",
    "restore_content",
    "restrict_content",
    "retire_instance_rule",
    "sanction_by_operator",
    "sanction_user",
    "set_block",
    "set_instance_rule",
    "set_reason_template",
    "set_word_rule",
    "sign_head",
    "start_bulk_decision",
    "suspend_user",
    "take_next_case",
    "unban_user",
    "warn_user",
    "withdraw_proposal",
]
