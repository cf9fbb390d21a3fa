"""The Django app of the search context."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from socialapp.contracts.bulk import PopulationTables
from socialapp.contracts.drift import DriftChecks
from socialapp.rpc.calls import serve


class SearchConfig(AppConfig):
    """Registers the services that search provides to the other contexts."""

    name = "apps.search"
    label = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        """Checks that there is a back end, and serves the contracts."""
        from apps.search.service import POPULATION, SearchDriftChecks

        register(check_backend)
        serve(DriftChecks, implementation=SearchDriftChecks(), context="search")
        serve(PopulationTables, implementation=POPULATION, context="search")


def check_backend(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """The default back end is SQLite's full-text search; other databases need Elasticsearch."""
    if settings.ELASTICSEARCH_URL or "sqlite" in settings.DATABASES["search"]["ENGINE"]:
        return []
    return [
        Error(
            "search has no back end: its database is not SQLite and ELASTICSEARCH_URL is not set",
            hint="Set ELASTICSEARCH_URL, or SEARCH_DATABASE_URL to an SQLite file.",
            id="search.E001",
        )
    ]
