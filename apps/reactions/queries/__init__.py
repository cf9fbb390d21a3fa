"""What reads reactions, and carries their access rule."""

from apps.reactions.queries.reading import (
    REACTION_TYPES,
    TARGET_TYPES,
    Fault,
    Target,
    reaction_bodies,
    reaction_page,
    reactions_to,
    recently_changed_targets,
    summaries,
    summary_body,
    suspect_counts,
    target_of,
    targets_in_order,
    visible_target,
)
from apps.reactions.queries.records import Loadable, dumped_reactions, loadable_reactions

__all__ = [
    "REACTION_TYPES",
    "TARGET_TYPES",
    "Fault",
    "Loadable",
    "Target",
    "dumped_reactions",
    "loadable_reactions",
    "reaction_bodies",
    "reaction_page",
    "reactions_to",
    "recently_changed_targets",
    "summaries",
    "summary_body",
    "suspect_counts",
    "target_of",
    "targets_in_order",
    "visible_target",
]
