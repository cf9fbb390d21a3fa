"""Implements the `PopulationTables` contract for a context: fills its tables with a population."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db.models import Model

from socialapp.contracts.bulk import PopulatedTable, Population
from socialapp.core.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class FillableTable:
    """A table: whether it is empty, and the function that writes all its rows."""

    is_empty: Callable[[], bool]
    fill: Callable[[Population], int]


def fillable(model: type[Model], *, fill: Callable[[Population], int]) -> FillableTable:
    """The table of a model."""
    return FillableTable(is_empty=lambda: not model._default_manager.exists(), fill=fill)


@dataclass(frozen=True, slots=True)
class TableFiller:
    """The tables of a context by name, in the order in which they are filled. See `PopulationTables`."""

    filled: Mapping[str, FillableTable]

    def tables(self) -> list[PopulatedTable]:
        """See `PopulationTables.tables`."""
        return [PopulatedTable(name=name, is_empty=table.is_empty()) for name, table in self.filled.items()]

    def fill(self, *, population: Population, table: str) -> int:
        """See `PopulationTables.fill`."""
        if table not in self.filled:
            raise NotFound("there is no such table")
        if not self.filled[table].is_empty():
            raise Conflict("this table is not empty")
        return self.filled[table].fill(population)
