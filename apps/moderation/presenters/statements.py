"""The public export of the log: statements of reasons."""

from collections.abc import Iterable, Iterator

from apps.moderation.models import Action
from apps.moderation.queries import is_automated

_RESTRICTIONS = {
    "remove_content": "visibility_content_removed",
    "hide_content": "visibility_content_disabled",
    "mark_sensitive": "visibility_content_labelled",
    "silence_user": "visibility_content_demoted",
    "limit_user": "provision_partial_suspension",
    "limit_links": "provision_partial_suspension",
    "limit_media": "provision_partial_suspension",
    "demand_password": "other",
    "lock_comments": "provision_partial_suspension",
    "ban_user": "account_suspended",
    "reset_profile": "visibility_content_removed",
    "warn_user": "other",
}


def statement_bodies(entries: Iterable[Action]) -> Iterator[dict[str, object]]:
    """Statements of reasons for the log's entries, without moderators' names.

    Source: Regulation (EU) 2022/2065 (Digital Services Act), article 17(3).
    """
    for entry in entries:
        yield {
            "sequence": entry.sequence,
            "decision": entry.kind,
            "restriction": _RESTRICTIONS.get(entry.kind),
            "content_type": entry.target_type or None,
            "content_id": str(entry.target_id) if entry.target_id is not None else None,
            "user_id": str(entry.user_id) if entry.user_id is not None else None,
            "ground": "incompatible_with_terms" if entry.kind in _RESTRICTIONS else None,
            "rule_id": str(entry.rule_id) if entry.rule_id is not None else None,
            "facts": entry.reason,
            "source": "notice" if entry.case_id is not None else "own_initiative",
            "automated_decision": is_automated(entry),
            "application_date": entry.created_at.isoformat(),
            "end_date": entry.until.isoformat() if entry.until else None,
            "reverses": str(entry.reverses_id) if entry.reverses_id is not None else None,
            "previous_hash": entry.previous_hash,
            "content_hash": entry.content_hash,
            "hash": entry.hash,
        }
