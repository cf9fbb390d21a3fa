"""Writes of search: the index, updated by events and rebuilt on demand."""

from apps.search.actions.maintenance import check_index, forget_tombstones, rebuild_index
from apps.search.actions.population import POPULATION_TABLES
from apps.search.actions.sync import erase_user, hide_post, index_posts, index_profiles, remove_post, set_engagement

__all__ = [
    "POPULATION_TABLES",
    "check_index",
    "erase_user",
    "forget_tombstones",
    "hide_post",
    "index_posts",
    "index_profiles",
    "rebuild_index",
    "remove_post",
    "set_engagement",
]
