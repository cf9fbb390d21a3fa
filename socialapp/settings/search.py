"""Elasticsearch, and how its index is kept up to date."""

from socialapp.settings.environment import env, url_of

ELASTICSEARCH_URL = url_of("ELASTICSEARCH_URL", "http", "https")
ELASTICSEARCH_PREFIX = env.str("ELASTICSEARCH_PREFIX", default="socialapp")
ELASTICSEARCH_SECONDS = env.float("ELASTICSEARCH_SECONDS", default=1.5)  # time limit of a search: then 503
ELASTICSEARCH_DSL = {"default": {"hosts": ELASTICSEARCH_URL or "http://127.0.0.1:9200"}}
ELASTICSEARCH_DSL_AUTOSYNC = False  # events or the binlog update the index, never model signals
ELASTICSEARCH_DSL_SIGNAL_PROCESSOR = "django_elasticsearch_dsl.signals.BaseSignalProcessor"
SEARCH_SYNC = env.str("SEARCH_SYNC", default="events")  # or cdc: `manage.py search cdc` follows the binlog
SEARCH_CDC_URL = env.str("SEARCH_CDC_URL", default="")  # the Redis or Kafka that Debezium writes to; empty: the binlog
SEARCH_CDC_PREFIX = env.str("SEARCH_CDC_PREFIX", default="socialapp")  # Debezium's topic.prefix
SEARCH_SYNONYMS = env.str("SEARCH_SYNONYMS", default="")  # a file of synonyms: one group per line, comma-separated
