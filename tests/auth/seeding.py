"""Seeds a row for each column that refers to a user, in every table; derived from the models."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.search.models import IndexedPost, IndexedProfile
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import RemoteKey

# References that the column itself does not declare: column → what it refers to.
_SPECIAL: dict[str, dict[str, str]] = {
    "reactions": {"post_id": "posts.Post"},
    "withdrawn_comments": {"comment_id": "comments.Comment"},
}
_numbers = count(7_000_000_000)
# The first match is used, as some classes are subclasses of others.
_MADE: tuple[tuple[type[models.Field[Any, Any]], Callable[[int, Any], Any]], ...] = (
    (models.BooleanField, lambda number, field: False),
    (models.SmallIntegerField, lambda number, field: number % 100),
    (models.BigIntegerField, lambda number, field: number),
    (models.IntegerField, lambda number, field: number % 1_000_000),
    (models.FloatField, lambda number, field: 1.0),
    (models.DateTimeField, lambda number, field: timezone.now() + timedelta(days=1)),
    (models.DateField, lambda number, field: timezone.now().date()),
    (models.CharField, lambda number, field: f"s{number}"[: field.max_length]),
    (models.TextField, lambda number, field: f"s{number}"),
    (models.JSONField, lambda number, field: {}),
    (models.BinaryField, lambda number, field: b"x"),
)


@dataclass(frozen=True)
class PersonColumn:
    """A column that refers to a user."""

    context: str
    model: type[models.Model]
    name: str

    @property
    def table(self) -> str:
        return str(self.model._meta.db_table)

    def rows(self, user_id: int) -> int:
        """The number of rows whose column refers to the user."""
        return int(self.model._default_manager.using(self.context).filter(**{self.name: user_id}).count())


def person_columns() -> Iterator[PersonColumn]:
    """All columns that refer to a user, in all contexts.

    Skips the tables of SQLite's full-text search if the index is in Elasticsearch: they are empty then.
    """
    for name, context in CONTEXTS.items():
        for label in context.labels:
            for model in apps.get_app_config(label).get_models():
                is_used = not (settings.ELASTICSEARCH_URL and model in (IndexedPost, IndexedProfile))
                if model._meta.managed and not model._meta.proxy and is_used:
                    yield from (PersonColumn(name, model, field.attname) for field in _person_fields(model))


def _person_fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if _names_a_person(field)]


def _names_a_person(field: Any) -> bool:
    if isinstance(field, RemoteKey):
        return field.target in ("users.Profile", "auth.User")
    return isinstance(field, models.ForeignKey) and field.related_model._meta.label == settings.AUTH_USER_MODEL


def seed(column: PersonColumn, *, user_id: int, others: dict[str, int]) -> None:
    """Creates a row whose column refers to the user; `others` are the ids that other columns refer to, by target."""
    if not column.rows(user_id):
        _make(column.context, column.model, {column.name: user_id}, others)


def _make(context: str, model: type[models.Model], given: dict[str, Any], others: dict[str, int]) -> models.Model:
    special = _SPECIAL.get(model._meta.db_table, {})
    values = {**{column: others[target] for column, target in special.items()}, **given}
    for field in model._meta.concrete_fields:
        if field.attname in values or (field.has_default() and not _names_a_person(field) and not field.primary_key):
            continue
        values[field.attname] = _value(context, field, others)
    row = model(**values)
    model._default_manager.using(context).bulk_create([row])
    return row


def _value(context: str, field: Any, others: dict[str, int]) -> Any:
    if _names_a_person(field):
        return None if field.null else others["auth.User"]
    if isinstance(field, models.ForeignKey):
        return None if field.null else _make(context, field.related_model, {}, others).pk
    if field.null:
        return None
    if isinstance(field, RemoteKey) and field.target in others:
        return others[field.target]
    if field.choices:
        return field.choices[0][0]
    number = next(_numbers)
    for kind, made in _MADE:
        if isinstance(field, kind):
            return made(number, field)
    raise AssertionError(f"{field} has a type that seeding does not support: add it to tests/auth/seeding.py")


__all__ = ["PersonColumn", "person_columns", "seed"]
