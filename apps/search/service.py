"""The services that search provides to the other contexts."""

from functools import partial

from apps.search import actions
from socialapp.contracts.drift import DriftPage
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.drift import run_comparisons


class SearchDriftChecks:
    """The `DriftChecks` contract: the index of people and posts."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {kind: partial(actions.check_index, kind=kind, repair=repair) for kind in ("user", "post")}
        return run_comparisons(comparisons, after=after, limit=limit)


# The `PopulationTables` contract.
POPULATION = TableFiller(actions.POPULATION_TABLES)
