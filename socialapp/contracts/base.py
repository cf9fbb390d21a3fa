"""The marks that contracts carry: `@event` on a data class, `@read` or `@write` on a method of an interface."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class EventType:
    """What the bus needs to know of an event class."""

    name: str  # "posts.post_created.v1": producer, what happened, version
    producer: str
    cls: type
    subject: str  # the field that holds the id of what it is about
    partition: str  # the field whose events should be handled near each other


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
    """The declaration of an event class; LookupError when it is not one."""
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
    """Marks a method that changes nothing: it may be retried and travels as GET, or as POST when its input is long."""
    method.__call_kind__ = "read"  # type: ignore[attr-defined]
    return method


def write(method: F) -> F:
    """Marks a method that changes something (or takes much input): it travels as POST and is sent once."""
    method.__call_kind__ = "write"  # type: ignore[attr-defined]
    return method


def within(seconds: float) -> Callable[[F], F]:
    """Gives a method that works through much at once, never for a waiting person, longer than CALL_TIMEOUT."""

    def mark(method: F) -> F:
        method.__call_seconds__ = seconds  # type: ignore[attr-defined]
        return method

    return mark
