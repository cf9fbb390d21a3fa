"""The Django app of the search context."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Registers what search serves to the other contexts."""

    name = "apps.search"
    label = "search"
    verbose_name = "Search"
