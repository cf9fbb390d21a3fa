"""Writes of comments: row, counts and event in one transaction; the only callers of publish()."""

import apps.comments.actions.erasure  # noqa: F401  (declares the removals)
from apps.comments.actions.bulk_import import load_comments
from apps.comments.actions.comments import add_to_scores, create_comment, delete_comment, edit_comment, with_media
from apps.comments.actions.drift import check_counts, check_posts
from apps.comments.actions.population import POPULATION_TABLES
from apps.comments.actions.removals import (
    delete_long_removed,
    delete_or_remove_comment,
    hide_comment,
    remove_as_moderator,
    remove_comment,
    restore_comment,
)

__all__ = [
    "POPULATION_TABLES",
    "add_to_scores",
    "check_counts",
    "check_posts",
    "create_comment",
    "delete_comment",
    "delete_long_removed",
    "delete_or_remove_comment",
    "edit_comment",
    "hide_comment",
    "load_comments",
    "remove_as_moderator",
    "remove_comment",
    "restore_comment",
    "with_media",
]
