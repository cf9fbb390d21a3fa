"""The Django app of the search context."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


class SearchConfig(AppConfig):
    """Registers what search serves to the other contexts."""

    name = "apps.search"
    label = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        """Makes sure that there is something to search with, and answers calls to the contracts."""
        from apps.search.service import POPULATION, SearchProjections
        from socialapp.contracts.bulk import PopulationTables
        from socialapp.contracts.drift import DriftChecks
        from socialapp.rpc.calls import serve

        register(check_backend)
        serve(DriftChecks, implementation=SearchProjections(), context="search")
        serve(PopulationTables, implementation=POPULATION, context="search")


def check_backend(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """The full-text index of the embedded default is SQLite's; with another database Elasticsearch is needed."""
    if settings.ELASTICSEARCH_URL or "sqlite3" in settings.DATABASES["search"]["ENGINE"]:
        return []
    return [
        Error(
            "search has nothing to search with: its database is not SQLite and ELASTICSEARCH_URL is not set",
            hint="Set ELASTICSEARCH_URL, or SEARCH_DATABASE_URL to an SQLite file.",
            id="search.E001",
        )
    ]
