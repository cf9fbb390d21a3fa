"""Writes of metrics: deltas, and the roll-ups that they are added to."""

import apps.metrics.actions.erasure  # noqa: F401  (declares the removal)
from apps.metrics.actions.drift import check_authors, check_followers, check_posts
from apps.metrics.actions.population import POPULATION_TABLES
from apps.metrics.actions.recording import (
    record_comment_restored,
    record_comments,
    record_follower,
    record_post_deleted,
    record_post_removed,
    record_post_restored,
    record_posts,
    record_reactions,
    record_registration,
    record_repost,
    record_views,
)
from apps.metrics.actions.rollups import ROLL_UP_BATCH, delete_old_hours, roll_up

__all__ = [
    "POPULATION_TABLES",
    "ROLL_UP_BATCH",
    "check_authors",
    "check_followers",
    "check_posts",
    "delete_old_hours",
    "record_comment_restored",
    "record_comments",
    "record_follower",
    "record_post_deleted",
    "record_post_removed",
    "record_post_restored",
    "record_posts",
    "record_reactions",
    "record_registration",
    "record_repost",
    "record_views",
    "roll_up",
]
