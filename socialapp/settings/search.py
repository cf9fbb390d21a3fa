"""Elasticsearch, and how its index is kept up."""

from socialapp.settings.environment import env

ELASTICSEARCH_URL = env.str("ELASTICSEARCH_URL", default="")
ELASTICSEARCH_PREFIX = env.str("ELASTICSEARCH_PREFIX", default="socialapp")
ELASTICSEARCH_SECONDS = env.float("ELASTICSEARCH_SECONDS", default=1.5)  # how long a search may take: then 503
ELASTICSEARCH_DSL = {"default": {"hosts": ELASTICSEARCH_URL or "http://127.0.0.1:9200"}}
ELASTICSEARCH_DSL_AUTOSYNC = False  # events or the binlog keep the index up, never signals of models
ELASTICSEARCH_DSL_SIGNAL_PROCESSOR = "django_elasticsearch_dsl.signals.BaseSignalProcessor"
SEARCH_SYNC = env.str("SEARCH_SYNC", default="events")  # or cdc: `manage.py search cdc` follows the binlog
SEARCH_CDC_URL = env.str("SEARCH_CDC_URL", default="")  # the Redis or Kafka that Debezium writes to; empty: the binlog
SEARCH_CDC_PREFIX = env.str("SEARCH_CDC_PREFIX", default="socialapp")  # Debezium's topic.prefix
SEARCH_SYNONYMS = env.str("SEARCH_SYNONYMS", default="")  # a file: words that mean the same, a line each, with commas
