"""Decides who may see which profiles and lists, and gathers what that needs from other contexts."""

from apps.users.access.bulk_import import LoadableFollow, LoadableProfile, loadable_follows, loadable_profiles
from apps.users.access.suggestions import suggestions_page
from apps.users.access.visibility import (
    ProfileMissing,
    Relationship,
    Viewer,
    VisibleProfile,
    may_be_found,
    may_see_profile,
    relationship_after,
    require_lists,
    visible_profile,
    visible_profile_by_username,
    visible_profiles,
    visible_relationship,
    visible_relationships,
)

__all__ = [
    "LoadableFollow",
    "LoadableProfile",
    "ProfileMissing",
    "Relationship",
    "Viewer",
    "VisibleProfile",
    "loadable_follows",
    "loadable_profiles",
    "may_be_found",
    "may_see_profile",
    "relationship_after",
    "require_lists",
    "suggestions_page",
    "visible_profile",
    "visible_profile_by_username",
    "visible_profiles",
    "visible_relationship",
    "visible_relationships",
]
