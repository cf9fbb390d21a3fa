"""The mapping of the Elasticsearch index: profiles are the parents of their posts, so that an account that turns
private or is banned takes its posts along without rewriting them, and every document has one version only.

Text arrives folded (see queries/language.py), so that both back ends answer alike; what the analyzers fold besides
are letters that Unicode does not take apart.
"""

from django_elasticsearch_dsl.documents import Document
from elasticsearch.dsl import Boolean, Date, Join, Keyword, Long, MetaField, Text, analyzer, token_filter

_LONGEST_PREFIX = 30

_words = analyzer("folded_words", tokenizer="whitespace", filter=["lowercase", "asciifolding"])
_beginnings = analyzer(
    "folded_beginnings",
    tokenizer="whitespace",
    filter=[
        "lowercase",
        "asciifolding",
        token_filter("beginnings", type="edge_ngram", min_gram=1, max_gram=_LONGEST_PREFIX),
    ],
)
_typed = analyzer(
    "folded_typed",
    tokenizer="whitespace",
    filter=["lowercase", "asciifolding", token_filter("typed_length", type="truncate", length=_LONGEST_PREFIX)],
)


class Entry(Document):
    """A post, a profile, or the tombstone of one (`deleted`, and then nothing else but when)."""

    kind = Keyword()
    id = Long()
    version = Long()
    relation = Join(relations={"user": "post"})
    deleted = Boolean()
    deleted_at = Date()
    author_id = Long()
    is_private = Boolean()
    is_active = Boolean()
    has_media = Boolean()
    created_at = Date()
    followers_count = Long()
    username = Keyword()
    hashtags = Keyword()
    names = Text(analyzer=_beginnings, search_analyzer=_typed)
    text = Text(analyzer=_words)

    class Index:
        """A replica appears as soon as there is a second node for it."""

        name = "search"
        settings = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}

    class Meta:
        """A field that is not listed here is a mistake."""

        dynamic = MetaField("strict")
