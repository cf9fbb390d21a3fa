"""Decides who may react and see reactions: whoever may see the target. Calls the target's context and users."""

from apps.reactions.access.bulk_import import LoadableReaction, loadable_reactions
from apps.reactions.access.visibility import Target, require_reaction_type, visible_reactors, visible_target

__all__ = [
    "LoadableReaction",
    "Target",
    "loadable_reactions",
    "require_reaction_type",
    "visible_reactors",
    "visible_target",
]
