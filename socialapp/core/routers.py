"""The database router: sends every model to the database of its context; an unknown label is an error, not a
default."""

from typing import Any

from django.db.models import Model

from socialapp.core.contexts import CONTEXTS, KERNEL_LABELS, alias_of
from socialapp.core.replicas import alias_for_reading


class ContextRouter:
    """Label → alias. Kernel tables exist in every alias, so they must always be reached with `using=`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """The alias to read `model` from: a replica's if it is allowed; kernel rows stay where they were loaded."""
        alias = self._alias(model, hints)
        return alias if model._meta.app_label in KERNEL_LABELS else alias_for_reading(alias)

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """The alias to write `model` to."""
        return self._alias(model, hints)

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Relations stay within a context."""
        return alias_of(one._meta.app_label) == alias_of(other._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """A context's tables are created in its own database only, the kernel's in all, and none in replicas."""
        return db in CONTEXTS if app_label in KERNEL_LABELS else alias_of(app_label) == db

    def _alias(self, model: type[Model], hints: dict[str, Any]) -> str:
        label = model._meta.app_label
        if label in KERNEL_LABELS:
            instance = hints.get("instance")
            if instance is not None and instance._state.db:
                return str(instance._state.db)
            raise LookupError(f"{model.__name__} exists in every context: say which with using=")
        return alias_of(label)
