"""Chooses the back end for reading."""

from django.conf import settings

from apps.search.queries.index import Index


def reader() -> Index:
    """The back end of this deployment: Elasticsearch where it is configured, else SQLite's FTS5."""
    if settings.ELASTICSEARCH_URL:
        from apps.search.queries.elastic import ElasticIndex

        return ElasticIndex()
    from apps.search.queries.fts import FtsIndex

    return FtsIndex()
