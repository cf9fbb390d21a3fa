"""Decorators of contracts: `@event` for data classes, `@read` and `@write` for methods of interfaces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class EventType:
    """What the bus needs to know about an event class."""

    name: str  # "posts.post_created.v1": producer, what happened, version
    producer: str
    cls: type
    subject: str  # the field with the id of its subject
    partition: str  # the field that determines the partition


EVENTS: dict[str, EventType] = {}
_BY_CLASS: dict[type, EventType] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(name: str, *, subject: str, partition: str = "", version: int = 1) -> Callable[[type[T]], type[T]]:
    """Declares an event: a frozen data class of JSON values called `name`.v`version`."""

    def declare(cls: type[T]) -> type[T]:
        cls = dataclass(frozen=True, kw_only=True, slots=True)(cls)
        full = f"{name}.v{version}"
        declared = EventType(full, name.split(".", maxsplit=1)[0], cls, subject, partition or subject)
        if full in EVENTS:
            raise ValueError(f"event {full} is declared twice")
        EVENTS[full] = _BY_CLASS[cls] = declared
        return cls

    return declare


def event_type(cls: type) -> EventType:
    """The declaration of an event class; LookupError if it is not one."""
    try:
        return _BY_CLASS[cls]
    except KeyError:
        raise LookupError(f"{cls.__name__} is not declared with @event") from None


@dataclass_transform(frozen_default=True, kw_only_default=True)
def data(cls: type[T]) -> type[T]:
    """Declares a data class that crosses a boundary: frozen, keyword-only, JSON values."""
    return dataclass(frozen=True, kw_only=True, slots=True)(cls)


def service(context: str) -> Callable[[type[T]], type[T]]:
    """Declares the interface that `context` serves to the others."""

    def declare(cls: type[T]) -> type[T]:
        cls.__service_context__ = context  # type: ignore[attr-defined]
        return cls

    return declare


def read(method: F) -> F:
    """Marks a read-only method: it may be retried, and is sent as GET, or as POST if its input is long."""
    method.__call_kind__ = "read"  # type: ignore[attr-defined]
    return method


def write(method: F) -> F:
    """Marks a method that writes (or takes much input): it is sent as POST, and never retried."""
    method.__call_kind__ = "write"  # type: ignore[attr-defined]
    return method


def within(seconds: float) -> Callable[[F], F]:
    """Allows a method that does bulk work, never for a waiting person, more time than CALL_TIMEOUT."""

    def mark(method: F) -> F:
        method.__call_seconds__ = seconds  # type: ignore[attr-defined]
        return method

    return mark
