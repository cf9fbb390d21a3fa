"""The one map of the bounded contexts: names, database labels, and which of them this process serves."""

import os
from dataclasses import dataclass
from functools import cache

# Tables of these apps exist in every context's database, beside the rows they protect.
KERNEL_LABELS = frozenset({"bus", "api", "lifecycle"})


@dataclass(frozen=True, slots=True)
class Context:
    """A bounded context: `name` is its folder, URL name and database alias, `label` its Django app label."""

    name: str
    label: str
    third_party_apps: tuple[str, ...] = ()
    third_party_labels: tuple[str, ...] = ()

    @property
    def app(self) -> str:
        """The dotted path of the context's Django app."""
        return f"apps.{self.name}"

    @property
    def labels(self) -> tuple[str, ...]:
        """All Django app labels with tables in this context's database."""
        return (self.label, *self.third_party_labels)


CONTEXTS: dict[str, Context] = {
    context.name: context
    for context in (
        Context(
            "auth",
            "identity",  # "auth" and "account" are labels of Django's and allauth's own apps
            third_party_apps=(
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "django.contrib.sessions",
                "django.contrib.messages",
                "django.contrib.admin",
                "allauth",
                "allauth.account",
                "allauth.socialaccount",
                "allauth.socialaccount.providers.google",
                "allauth.socialaccount.providers.facebook",
                "allauth.socialaccount.providers.github",
                "allauth.socialaccount.providers.openid_connect",
                "allauth.mfa",
            ),
            third_party_labels=("auth", "contenttypes", "sessions", "admin", "account", "socialaccount", "mfa"),
        ),
        Context("users", "users"),
        Context("posts", "posts"),
        Context("comments", "comments"),
        Context("reactions", "reactions"),
        Context("notifications", "notifications"),
        Context("search", "search"),
        Context("metrics", "metrics"),
        Context("moderation", "moderation"),
    )
}


def served() -> tuple[Context, ...]:
    """The contexts this process serves: all, or those named in `SERVICES` (comma-separated)."""
    names = [name.strip() for name in os.environ.get("SERVICES", "").split(",") if name.strip()]
    unknown = sorted(set(names) - CONTEXTS.keys())
    if unknown:
        raise ValueError(f"SERVICES names unknown contexts: {', '.join(unknown)}; known are {', '.join(CONTEXTS)}")
    return tuple(context for context in CONTEXTS.values() if not names or context.name in names)


def serves(name: str) -> bool:
    """Whether this process serves the context called `name`."""
    return any(context.name == name for context in served())


@cache
def alias_of(label: str) -> str:
    """The database alias with the tables of the Django app `label`; LookupError if no context owns it."""
    for context in CONTEXTS.values():
        if label in context.labels:
            return context.name
    raise LookupError(f"no context owns the app label {label!r}: add it to socialapp/core/contexts.py")


def context_of_module(module: str) -> str:
    """The context that a module such as `apps.posts.handlers` belongs to."""
    parts = module.split(".")
    if len(parts) < 2 or parts[0] != "apps" or parts[1] not in CONTEXTS:
        raise LookupError(f"{module} is not a module of a context")
    return parts[1]
