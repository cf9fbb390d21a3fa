"""Writes of users: the only code that changes its tables and publishes its events."""

from apps.users.actions.archives import fill_profile, follow_by_name
from apps.users.actions.blocks import block, mute, unblock, unmute
from apps.users.actions.bulk_import import load_follows, load_profiles
from apps.users.actions.drift import check_follow_counts, check_post_counts, check_statuses
from apps.users.actions.erasure import hide_profile
from apps.users.actions.follows import (
    accept_request,
    follow,
    reject_request,
    unfollow,
)
from apps.users.actions.population import POPULATION_TABLES
from apps.users.actions.profiles import (
    RESTRICTIONS,
    ask_again,
    change_profile,
    ensure_named_profiles,
    ensure_profiles,
    make_profile,
    make_profile_of,
    missing_accounts,
    rename_profile,
    reset_profile,
    restore_profile,
    restrict_profile,
    sanction_profile,
    set_deactivated,
    shift_post_counts,
    update_profile,
    with_profiles,
)

__all__ = [
    "POPULATION_TABLES",
    "RESTRICTIONS",
    "accept_request",
    "ask_again",
    "block",
    "change_profile",
    "check_follow_counts",
    "check_post_counts",
    "check_statuses",
    "ensure_named_profiles",
    "ensure_profiles",
    "fill_profile",
    "follow",
    "follow_by_name",
    "hide_profile",
    "load_follows",
    "load_profiles",
    "make_profile",
    "make_profile_of",
    "missing_accounts",
    "mute",
    "reject_request",
    "rename_profile",
    "reset_profile",
    "restore_profile",
    "restrict_profile",
    "sanction_profile",
    "set_deactivated",
    "shift_post_counts",
    "unblock",
    "unfollow",
    "unmute",
    "update_profile",
    "with_profiles",
]
