"""Decides which moderators may do what, and gathers what that needs from other contexts."""

from apps.moderation.access.case_context import case_context_of
from apps.moderation.access.instance_rules import rule_text
from apps.moderation.access.names import show_contents, show_names, show_targets, target_texts
from apps.moderation.access.people import history_of, notes_of
from apps.moderation.access.ranks import refuse_own, require_rank, require_rank_to_lift, require_staff
from apps.moderation.access.refusals import screen_text
from apps.moderation.access.reporters import groundless_reporters, reporter_weight, weight_of
from apps.moderation.access.screening import Document, plain_pattern, rules_matched_by, rules_matching
from apps.moderation.access.sign_ups import is_sign_up_refused, plain_block
from apps.moderation.access.targets import (
    documents_to_check,
    media_of_target,
    target_of_staff,
    target_to_report,
    text_of,
)
from apps.moderation.access.trials import MOST_DAYS, try_rule

__all__ = [
    "MOST_DAYS",
    "Document",
    "case_context_of",
    "documents_to_check",
    "groundless_reporters",
    "history_of",
    "is_sign_up_refused",
    "media_of_target",
    "notes_of",
    "plain_block",
    "plain_pattern",
    "refuse_own",
    "reporter_weight",
    "require_rank",
    "require_rank_to_lift",
    "require_staff",
    "rule_text",
    "rules_matched_by",
    "rules_matching",
    "screen_text",
    "show_contents",
    "show_names",
    "show_targets",
    "target_of_staff",
    "target_texts",
    "target_to_report",
    "text_of",
    "try_rule",
    "weight_of",
]
