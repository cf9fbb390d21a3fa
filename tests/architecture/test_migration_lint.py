"""No migration breaks the previous release, and the lint rejects a planted example of each kind that would."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
    RenameField,
    RenameModel,
    RunSQL,
)
from django.db.migrations import SeparateDatabaseAndState as Apart
from django.db.migrations.operations.base import Operation

from socialapp.ops import migration_lint
from socialapp.ops.migration_lint import findings

_PLACES = CreateModel(
    "Place",
    fields=[
        ("id", models.BigIntegerField(primary_key=True)),
        ("name", models.CharField(max_length=50)),
        ("note", models.CharField(max_length=50, null=True)),
        ("visits", models.IntegerField(db_default=0)),
    ],
    options={"db_table": "places"},
)


def planted(*operations: Operation, **attributes: Any) -> list[str]:
    """The problems of a migration that runs after the one that created the table `places`."""
    first = type("Migration", (Migration,), {"operations": [_PLACES]})("0001_initial", "places")
    then = type("Migration", (Migration,), {"operations": list(operations), **attributes})("0002_change", "places")
    found = findings([first, then])
    assert all(line.startswith("places.0002_change: ") for line in found)
    return [line.removeprefix("places.0002_change: ") for line in found]


def test_the_previous_release_runs_with_every_migration() -> None:
    assert findings() == []
    call_command("lint_migrations")


_REQUIRED = models.CharField(max_length=5, default="")
_REJECTED: list[tuple[Operation, str]] = [
    (RemoveField("place", "name"), "drops or renames places.name"),
    (RenameField("place", "name", "title"), "drops or renames places.name"),
    (DeleteModel("Place"), "drops or renames the table places"),
    (AlterModelTable("place", "locations"), "drops or renames the table places"),
    (AddField("place", "city", _REQUIRED), "adds places.city, which old code omits"),
    (AddField("place", "code", models.CharField(max_length=5, db_default="", unique=True)), "unique code"),
    (AlterField("place", "name", models.CharField(max_length=49)), "narrows places.name"),
    (AlterField("place", "name", models.IntegerField()), "narrows places.name"),
    (AlterField("place", "visits", models.SmallIntegerField(db_default=0)), "narrows places.visits"),
    (AlterField("place", "visits", models.PositiveBigIntegerField(db_default=0)), "narrows places.visits"),
    (AlterField("place", "note", models.CharField(max_length=50, default="")), "requires a value for places.note"),
    (AlterField("place", "visits", models.IntegerField(default=0)), "requires a value for places.visits"),
    (AlterField("place", "name", models.CharField(max_length=50, unique=True)), "unique name"),
    (AlterField("place", "name", models.CharField(max_length=50, db_column="title")), "drops or renames places.name"),
    (AddConstraint("place", models.UniqueConstraint(fields=["name", "note"], name="once")), "once"),
    (AddConstraint("place", models.CheckConstraint(condition=models.Q(visits__gte=0), name="many")), "many"),
    (AlterUniqueTogether("place", {("name", "note")}), "unique name, note"),
    (RunSQL("ALTER TABLE places DROP COLUMN note"), "runs SQL with DROP"),
    (Apart(database_operations=[RunSQL("ALTER TABLE places MODIFY name CHAR(3)")]), "runs SQL with MODIFY"),
    (Apart(state_operations=[RemoveField("place", "name")]), "keeps the column places.name"),
]


@pytest.mark.parametrize(("operation", "problem"), _REJECTED)
def test_a_migration_that_breaks_old_code_is_rejected(operation: Operation, problem: str) -> None:
    assert problem in "\n".join(planted(operation))


@pytest.mark.parametrize(
    "operation",
    [
        AddField("place", "city", models.CharField(max_length=5, null=True)),
        AddField("place", "city", models.CharField(max_length=5, db_default="")),
        AddField("place", "code", models.CharField(max_length=5, null=True, unique=True)),
        AddIndex("place", models.Index(fields=["name"], name="by_name")),
        AlterField("place", "name", models.CharField(max_length=51)),
        AlterField("place", "name", models.TextField(null=True)),
        AlterField("place", "visits", models.BigIntegerField(db_default=0)),
        RenameField("place", "name", "name"),
        RenameModel("Place", "Spot"),
        CreateModel("Road", fields=[("id", models.BigIntegerField(primary_key=True)), ("name", _REQUIRED)]),
        RunSQL("UPDATE places SET visits = 0"),
        Apart(state_operations=[RemoveField("place", "note")]),
    ],
)
def test_a_compatible_migration_passes(operation: Operation) -> None:
    assert planted(operation) == []


def test_a_column_added_and_dropped_in_one_migration_passes() -> None:
    field = models.CharField(max_length=5, default="")
    assert planted(AddField("place", "city", field), RemoveField("place", "city")) == []


def test_a_column_may_be_dropped_after_the_release_that_stopped_using_it(monkeypatch: pytest.MonkeyPatch) -> None:
    optional = AlterField("place", "name", models.CharField(max_length=50, null=True))
    assert planted(optional, Apart(state_operations=[RemoveField("place", "name")])) == []
    drop = RunSQL("ALTER TABLE places DROP COLUMN name")
    monkeypatch.setattr(migration_lint, "current_release", lambda: "1.10.0")
    assert planted(drop, safe_after_release="1.9.0") == []
    for release in ("1.10.0", "1.11.0", "", "soon"):
        (problem,) = planted(drop, safe_after_release=release)
        assert "is not earlier than 1.10.0" in problem
    (problem,) = planted(RunSQL("UPDATE places SET visits = 0"), safe_after_release="1.9.0")
    assert "is not needed" in problem


def test_the_release_in_preparation_is_known() -> None:
    assert migration_lint.current_release().count(".") == 2
