"""Chooses the back end for writing."""

from django.conf import settings

from apps.search.actions.index import IndexWriter


def writer() -> IndexWriter:
    """The back end of this deployment."""
    if settings.ELASTICSEARCH_URL:
        from apps.search.actions.elastic import ElasticWriter

        return ElasticWriter()
    from apps.search.actions.fts import FtsWriter

    return FtsWriter()
