"""What notifications writes."""

from apps.notifications.actions.erasing import begin_erasure, erase_step, prune_read
from apps.notifications.actions.preferring import change_preferences, remove_subscription, subscribe_to_push
from apps.notifications.actions.projections import check_actors, check_posts
from apps.notifications.actions.reading import mark_read, mark_read_up_to
from apps.notifications.actions.removing import (
    begin_post_removal,
    remove_actor,
    remove_between,
    remove_comment,
    remove_post_step,
)
from apps.notifications.actions.telling import News, day_of, tell, tell_followers

__all__ = [
    "News",
    "begin_erasure",
    "begin_post_removal",
    "change_preferences",
    "check_actors",
    "check_posts",
    "day_of",
    "erase_step",
    "mark_read",
    "mark_read_up_to",
    "prune_read",
    "remove_actor",
    "remove_between",
    "remove_comment",
    "remove_post_step",
    "remove_subscription",
    "subscribe_to_push",
    "tell",
    "tell_followers",
]
