"""Writes of reactions: row, count and event in one transaction; the only callers of publish()."""

import apps.reactions.actions.erasure  # noqa: F401  (declares the removals)
from apps.reactions.actions.bulk_import import load_reactions
from apps.reactions.actions.drift import check_counts, check_targets
from apps.reactions.actions.population import POPULATION_TABLES
from apps.reactions.actions.reactions import remove_reaction, set_reaction

__all__ = [
    "POPULATION_TABLES",
    "check_counts",
    "check_targets",
    "load_reactions",
    "remove_reaction",
    "set_reaction",
]
