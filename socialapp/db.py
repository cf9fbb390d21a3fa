"""Transactions on one context's database, references across contexts, and the guard between transactions and calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from django.db import models, transaction

from socialapp.ids import new_id

_open_on: ContextVar[tuple[str, ...]] = ContextVar("open_transactions", default=())


@contextmanager
def atomic(context: str) -> Iterator[None]:
    """One transaction on the database of `context`; nested use joins the outer one through a savepoint."""
    token = _open_on.set((*_open_on.get(), context))
    try:
        with transaction.atomic(using=context):
            yield
    finally:
        _open_on.reset(token)


def open_transactions() -> tuple[str, ...]:
    """The contexts whose transaction the running code holds open, outermost first."""
    return _open_on.get()


class Gone(StrEnum):
    """What happens to a row when what it refers to in another context is deleted."""

    ERASE = "erase"  # the row goes too
    KEEP = "keep"  # the row stays and the reader tolerates the dangling id
    ANONYMIZE = "anonymize"  # the row stays without the reference


class RemoteKey(models.BigIntegerField[int, int]):
    """The id of a row in another context: a plain BIGINT whose owner's deletion some handler must answer.

    `target` is "context.Model"; `gone` says what is done when the target goes. A test proves that a handler
    of this context listens to the target's deletion.
    """

    def __init__(self, target: str, *, gone: Gone, **options: Any) -> None:
        self.target = target
        self.gone = gone
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """For migrations it is the BIGINT that it is in the database."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.BigIntegerField", args, kwargs


class IdField(models.BigIntegerField[int, int]):
    """The primary key of the contexts' tables: a time-sortable id made in the application."""

    def __init__(self, **options: Any) -> None:
        options.update(primary_key=True, default=new_id, editable=False)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """The default is always `new_id`, so migrations need not repeat the rest."""
        name, path, args, kwargs = super().deconstruct()
        for option in ("primary_key", "default", "editable"):
            kwargs.pop(option, None)
        return name, path, args, kwargs
