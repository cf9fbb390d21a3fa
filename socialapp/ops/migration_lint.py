"""Finds migrations that break the previous release: during a rollout, old code runs on new tables.

Compares the tables before and after each migration. docs/deploying.md states the rule.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import NOT_PROVIDED, AutoField, CheckConstraint, UniqueConstraint

MARKER = "safe_after_release"
_OURS = ("apps.", "socialapp.")
# Each type in a line can store all values of the types before it.
_WIDER = (
    ("SmallIntegerField", "IntegerField", "BigIntegerField"),
    ("PositiveSmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField"),
    ("PositiveSmallIntegerField", "IntegerField", "BigIntegerField"),
    ("PositiveIntegerField", "BigIntegerField"),
    ("SlugField", "CharField", "TextField"),
)
_HARMFUL_SQL = re.compile(r"\b(DROP|RENAME|CHANGE|MODIFY|TRUNCATE|ADD\s+CONSTRAINT|UNIQUE|NOT\s+NULL)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Column:
    kind: str
    sizes: tuple[int | None, ...]
    null: bool
    filled: bool  # the database sets a value if an INSERT omits the column


@dataclass(frozen=True, slots=True)
class _Table:
    columns: Mapping[str, _Column]
    rules: frozenset[str]  # constraints on its rows


def findings(migrations: Iterable[Migration] | None = None) -> list[str]:
    """The problems of the given migrations, or of all our own, one per line, in the order in which they run."""
    found: list[str] = []
    state = ProjectState()
    for migration in _ours_in_order() if migrations is None else migrations:
        after = state.clone()
        for operation in migration.operations:
            operation.state_forwards(migration.app_label, after)
        problems = list(_problems(migration, state, after))
        found += [f"{migration.app_label}.{migration.name}: {line}" for line in _judged(migration, problems)]
        state = after
    return found


def current_release() -> str:
    """The release in preparation."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _ours_in_order() -> Iterator[Migration]:
    graph = MigrationLoader(None).graph
    planned = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    return (graph.nodes[key] for key in planned if type(graph.nodes[key]).__module__.startswith(_OURS))


def _judged(migration: Migration, problems: list[str]) -> Iterator[str]:
    """The problems, unless the migration names an earlier release since which its change is safe."""
    release = getattr(migration, MARKER, None)
    if release is None:
        yield from problems
    elif not problems:
        yield f"{MARKER} is not needed: the migration does not break the previous release"
    elif not _is_earlier(str(release), current_release()):
        yield f"{MARKER} = {release!r} is not earlier than {current_release()}, the release in preparation"


def _is_earlier(release: str, other: str) -> bool:
    numbers = [re.findall(r"\d+", given) for given in (release, other)]
    return bool(numbers[0]) and list(map(int, numbers[0])) < list(map(int, numbers[1]))


def _problems(migration: Migration, before: ProjectState, after: ProjectState) -> Iterator[str]:
    in_database = before.clone()
    for operation in _database_operations(migration.operations):
        operation.state_forwards(migration.app_label, in_database)
        yield from _problems_in_sql(operation)
    old, new, known = _tables(before), _tables(in_database), _tables(after)
    for name, table in old.items():
        if name not in new:
            yield f"drops or renames the table {name}"
            continue
        yield from _problems_of_old_code(name, table, new[name])
        if name in known:
            yield from _problems_of_new_code(name, new[name], known[name])


def _database_operations(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _database_operations(operation.database_operations)
        else:
            yield operation


def _problems_in_sql(operation: Operation) -> Iterator[str]:
    if isinstance(operation, RunSQL) and (word := _HARMFUL_SQL.search(str(operation.sql))):
        yield f"runs SQL with {word[0].upper()}"


def _problems_of_old_code(name: str, old: _Table, new: _Table) -> Iterator[str]:
    for column, was in old.columns.items():
        now = new.columns.get(column)
        if now is None:
            yield f"drops or renames {name}.{column}"
        elif not _holds(now, was):
            yield f"narrows {name}.{column}, or changes its type"
        elif (was.null and not now.null) or (was.filled and not now.filled and not now.null):
            yield f"requires a value for {name}.{column}, which old code omits"
    added = new.columns.keys() - old.columns.keys()
    for column in sorted(added):
        if not (new.columns[column].null or new.columns[column].filled):
            yield f"adds {name}.{column}, which old code omits: set null=True or db_default="
    harmless = {_unique(column) for column in added if new.columns[column].null}
    for rule in sorted(new.rules - old.rules - harmless):
        yield f"adds a constraint to {name} that old code may violate: {rule}"


def _problems_of_new_code(name: str, table: _Table, known: _Table) -> Iterator[str]:
    for column in sorted(table.columns.keys() - known.columns.keys()):
        if not (table.columns[column].null or table.columns[column].filled):
            yield f"keeps the column {name}.{column}, which is not in the models but requires a value"


def _holds(now: _Column, was: _Column) -> bool:
    """Whether the column can store all values that it could store before."""
    if now.kind != was.kind:
        lines = (line for line in _WIDER if was.kind in line and now.kind in line)
        if not any(line.index(was.kind) < line.index(now.kind) for line in lines):
            return False
    sizes = zip(now.sizes, was.sizes, strict=True)
    return all(size is None or (old is not None and size >= old) for size, old in sizes)


def _tables(state: ProjectState) -> dict[str, _Table]:
    return {
        str(model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"): _table(model)
        for model in state.models.values()
        if model.options.get("managed", True) and not model.options.get("proxy")
    }


def _table(model: ModelState) -> _Table:
    columns: dict[str, _Column] = {}
    rules: set[str] = set()
    for name, field in model.fields.items():
        if field.many_to_many:
            continue  # a table of its own
        column = str(field.db_column or (f"{name}_id" if field.is_relation else name))
        columns[column] = _column(field)
        if field.unique and not field.primary_key:
            rules.add(_unique(column))
    constraints = model.options.get("constraints", ())
    rules |= {repr(one) for one in constraints if isinstance(one, UniqueConstraint | CheckConstraint)}
    rules |= {_unique(", ".join(columns)) for columns in model.options.get("unique_together") or ()}
    return _Table(columns, frozenset(rules))


def _unique(columns: str) -> str:
    return f"unique {columns}"


def _column(field: Any) -> _Column:
    sizes = (field.max_length, getattr(field, "max_digits", None), getattr(field, "decimal_places", None))
    filled = field.db_default is not NOT_PROVIDED or isinstance(field, AutoField)
    return _Column(field.get_internal_type(), sizes, field.null, filled)
