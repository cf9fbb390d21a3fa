"""No relation, migration dependency or SQL crosses databases, and contexts handle the deletion of remote targets."""

from collections.abc import Iterable

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connections, models
from django.db.migrations import AddField
from django.db.migrations.loader import MigrationLoader

from socialapp.core.contexts import CONTEXTS, KERNEL_LABELS, alias_of
from socialapp.core.db import Gone, RemoteKey
from socialapp.core.routers import ContextRouter
from socialapp.messaging.registry import events_of
from tests.conftest import ALL_CONTEXTS

# Events about the deletion of a target: contexts that refer to it must handle one of them.
DELETION_EVENTS = {
    "users.Profile": {"auth.user_deleted.v1"},
    "auth.User": {"auth.user_deleted.v1"},
    "auth.Session": {"auth.sessions_ended.v1"},
    "posts.Post": {"posts.post_deleted.v1", "auth.user_deleted.v1"},
    "comments.Comment": {"comments.comment_deleted.v1", "auth.user_deleted.v1"},
}


def owner(model: type[models.Model]) -> str:
    """The context whose database contains the model, or "kernel"."""
    label = model._meta.app_label
    return "kernel" if label in KERNEL_LABELS else alias_of(label)


def crossing_relations(found: Iterable[type[models.Model]]) -> list[str]:
    """Relations between different contexts."""
    return [
        f"{model.__name__}.{field.name}"
        for model in found
        for field in model._meta.get_fields()
        if field.is_relation and isinstance(field.related_model, type) and owner(model) != owner(field.related_model)
    ]


def unhandled_keys(found: Iterable[type[models.Model]]) -> list[str]:
    """Remote keys of contexts that do not handle any deletion event of the target."""
    lines = []
    for model in found:
        for field in model._meta.get_fields():
            if not isinstance(field, RemoteKey) or field.gone == Gone.KEEP:
                continue
            expected = DELETION_EVENTS.get(field.target)
            handled = set(events_of(alias_of(model._meta.app_label)))
            if expected is None or not expected & handled:
                lines.append(f"{model.__name__}.{field.name} → {field.target}")
    return lines


def test_no_migration_adds_a_column_together_with_a_unique_key() -> None:
    """TiDB does not support that: docs/adr/0012-tidb.md."""
    ours = [
        one
        for one in MigrationLoader(None).disk_migrations.values()
        if one.__module__.startswith(("apps.", "socialapp."))
    ]
    added = [
        f"{migration.app_label}.{migration.name}: {operation.model_name}.{operation.name}"
        for migration in ours
        for operation in migration.operations
        if isinstance(operation, AddField) and operation.field.unique
    ]
    assert len(ours) > 20
    assert added == []


def test_no_relation_crosses_a_database() -> None:
    assert crossing_relations(apps.get_models()) == []


def test_contexts_handle_the_deletion_of_remote_targets() -> None:
    assert unhandled_keys(apps.get_models()) == []


def test_no_migration_depends_on_another_context() -> None:
    graph = MigrationLoader(None).graph
    edges = [
        (node, parent.key)
        for node in graph.nodes
        for parent in graph.node_map[node].parents
        if node[0] not in KERNEL_LABELS
        and parent.key[0] not in KERNEL_LABELS
        and alias_of(node[0]) != alias_of(parent.key[0])
    ]
    assert edges == []


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_migrations_match_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_an_unknown_label_is_an_error() -> None:
    with pytest.raises(LookupError):
        ContextRouter().allow_migrate("posts", "somebody_elses_app")


def test_every_third_party_table_has_an_owner() -> None:
    for model in apps.get_models(include_auto_created=True):
        owner(model)


def test_kernel_rows_require_an_alias() -> None:
    from socialapp.messaging.models import OutboxEvent

    with pytest.raises(LookupError):
        OutboxEvent.objects.count()


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_every_database_contains_only_its_own_tables() -> None:
    kernel = {"django_migrations"}
    for context in CONTEXTS.values():
        expected = {
            model._meta.db_table
            for model in apps.get_models(include_auto_created=True)
            if model._meta.app_label in context.labels or model._meta.app_label in KERNEL_LABELS
        }
        tables = set(connections[context.name].introspection.table_names()) - kernel
        foreign = tables - expected
        # A full-text index has its own shadow tables.
        assert {name for name in foreign if not name.startswith("search_")} == set(), context.name
        assert expected <= tables, context.name


def test_there_is_no_default_database() -> None:
    assert connections["default"].vendor == "unknown", "a query without an alias must fail"


def test_a_planted_relation_and_key_are_detected() -> None:
    from socialapp.messaging.models import InboxEntry

    meta = type("Meta", (), {"app_label": "posts", "apps": Apps()})
    planted = type(
        "Planted",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": meta,
            "entry": models.ForeignKey(InboxEntry, on_delete=models.CASCADE, related_name="+"),
            "thing_id": RemoteKey("nowhere.Thing", gone=Gone.ERASE),
        },
    )
    assert crossing_relations([planted]) == ["Planted.entry"]
    assert unhandled_keys([planted]) == ["Planted.thing_id → nowhere.Thing"]
