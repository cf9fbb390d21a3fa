"""Collects what a context holds about a person, by the references its models declare, so that no table is forgotten.

A model that refers to people only by the id of what they wrote has `rows_about` instead.
"""

from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import ForeignKey, Model, Q, QuerySet

from socialapp.contracts.data_export import StoredCopy
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import RemoteKey
from socialapp.core.errors import NotFound
from socialapp.core.json import to_json

# The owner of a row that refers to several people: the actor, not the person acted on.
_OWNERS = ("user_id", "author_id", "follower_id", "requester_id", "blocker_id", "muter_id", "reporter_id")
# Rows created by others that are the person's data nevertheless: who follows them, or requests to.
_COUNTERPARTS = ("following_id", "target_id")
# Tables of Django that record what staff did to others.
_NOT_ABOUT_THEIR_OWNER = frozenset({"django_admin_log"})
# Nobody's business (other people's names, marks of the machinery) or too dangerous to carry around (secrets).
_HIDDEN = frozenset(
    {"password", "secret", "digest", "token_digest", "endpoint_digest", "p256dh", "auth", "salt", "moderator_id"}
    | {"hash", "content_hash", "previous_hash", "actor_id"}
    | {"previous_digest", "successor", "code_digest", "address_digest", "archive"}
    | {"assigned_to_id", "proposed_by_id", "decided_by_id"}
)
_NOT_HIDDEN = frozenset({("notification_settings", "digest")})  # how often a summary is mailed: not of a secret
_SECRETS = frozenset({("mfa_authenticator", "data"), ("passkey_challenges", "state"), ("mails", "details")})
_FOR_STAFF = frozenset(
    {("case_notes", "text"), ("actions", "note"), ("proposals", "note")}
    | {("cases", "reports_count"), ("cases", "score"), ("cases", "flagged_words")}
)
_EXACT_IN_JAVASCRIPT = 2**53


class ContextDataExport:
    """The `DataExport` contract for one context."""

    def __init__(self, context: str) -> None:
        self.context = context

    def tables(self) -> list[str]:
        """See `DataExport.tables`."""
        return sorted(_personal_models(self.context))

    def rows(self, *, user_id: int, table: str, offset: int, limit: int) -> list[str]:
        """See `DataExport.rows`; NotFound for a table that is none of these. One query."""
        try:
            model = _personal_models(self.context)[table]
        except KeyError:
            raise NotFound(f"{self.context} has no table {table} of persons") from None
        names = [field.attname for field in model._meta.concrete_fields if _is_for_owner(table, field.attname)]
        found = _rows_about(model, user_id).order_by("pk").values(*names)
        return [to_json(_portable(row)).decode() for row in found[offset : offset + limit]]

    def files(self, *, user_id: int, offset: int, limit: int) -> list[StoredCopy]:
        """See `DataExport.files`: those of models that have `exported_files`. One query a model."""
        copies: list[StoredCopy] = []
        for model in _personal_models(self.context).values():
            if hasattr(model, "exported_files"):
                rows = _rows_about(model, user_id).order_by("pk")[offset : offset + limit]
                copies += [
                    StoredCopy(name=name, stored_as=stored) for row in rows for name, stored in row.exported_files()
                ]
        return copies


def held_rows(context: str, *, user_id: int) -> dict[str, int]:
    """The number of rows that a context holds about a person, by table, omitting zeros. One query per table."""
    counts = {
        table: _rows_about(model, user_id).using(context).count()
        for table, model in sorted(_personal_models(context).items())
    }
    return {table: count for table, count in counts.items() if count}


def _is_for_owner(table: str, column: str) -> bool:
    if (table, column) in _NOT_HIDDEN:
        return True
    return column not in _HIDDEN and (table, column) not in _SECRETS | _FOR_STAFF


def _rows_about(model: type[Model], user_id: int) -> QuerySet[Any]:
    if hasattr(model, "rows_about"):
        rows: QuerySet[Any] = model.rows_about(user_id)
        return rows
    found = Q()
    for lookup in _lookups(model):
        found |= Q(**{lookup: user_id})
    return model._default_manager.filter(found)


@cache
def _personal_models(context: str) -> dict[str, type[Model]]:
    """The context's models with personal rows, by table."""
    models = [model for label in CONTEXTS[context].labels for model in apps.get_app_config(label).get_models()]
    found = {model._meta.db_table: model for model in models if model._meta.managed}
    return {
        table: model
        for table, model in found.items()
        if (hasattr(model, "rows_about") or _lookups(model)) and table not in _NOT_ABOUT_THEIR_OWNER
    }


@cache
def _lookups(model: type[Model]) -> tuple[str, ...]:
    """The lookups of a person's rows: as their owner, and as the person they are about."""
    owner = _owner_lookup(model)
    others = {field.attname for field in model._meta.concrete_fields if _refers_to_a_person(field)}
    return tuple(name for name in (owner, *_COUNTERPARTS) if name and (name == owner or name in others))


def _owner_lookup(model: type[Model]) -> str:
    """The lookup of a person's rows: by its own column, or through the row it belongs to; "" if it has no owner."""
    if model._meta.label == settings.AUTH_USER_MODEL:
        return "id"
    if own := _own_lookup(model):
        return own
    for field in model._meta.concrete_fields:
        if (
            isinstance(field, ForeignKey)
            and field.related_model is not model
            and (above := _own_lookup(field.related_model))
        ):
            return f"{field.name}__{above}"
    return ""


def _own_lookup(model: type[Model]) -> str:
    people = {field.attname for field in model._meta.concrete_fields if _refers_to_a_person(field)}
    return next((name for name in _OWNERS if name in people), "")


def _refers_to_a_person(field: Any) -> bool:
    if isinstance(field, RemoteKey):
        return field.target in ("users.Profile", "auth.User")
    return isinstance(field, ForeignKey) and field.related_model._meta.label == settings.AUTH_USER_MODEL


def _portable(row: dict[str, Any]) -> dict[str, Any]:
    """Values that any JSON reader accepts: very large numbers become strings, unknown types their text."""
    return {name: _portable_value(value) for name, value in row.items()}


def _portable_value(value: Any) -> Any:
    if isinstance(value, int) and abs(value) >= _EXACT_IN_JAVASCRIPT:
        return str(value)
    return value
