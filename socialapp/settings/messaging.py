"""Redis, the broker, and the event bus."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from socialapp.settings.environment import env, url_of

_REDIS = ("redis", "rediss", "unix")
REDIS_URL = url_of("REDIS_URL", *_REDIS, default="redis://127.0.0.1:6379/0")
REDIS_TIMEOUT = env.float("REDIS_TIMEOUT", default=0.5)
REDIS_PREFIX = env.str("REDIS_PREFIX", default="")
FRAGMENT_SECONDS = env.int("FRAGMENT_SECONDS", default=30)
BROKER_URL = url_of("BROKER_URL", "amqp", "amqps", *_REDIS, default=REDIS_URL)
QUEUE_PREFIX = env.str("QUEUE_PREFIX", default="")
KAFKA_URL = url_of("KAFKA_URL", "kafka")
KAFKA_PARTITIONS = env.int("KAFKA_PARTITIONS", default=12)
BROKER_QUORUM_QUEUES = env.bool("BROKER_QUORUM_QUEUES", default=BROKER_URL.startswith("amqp"))
TASKS_APPLICATION = "socialapp.celery.app"
CELERY_BROKER_URL = BROKER_URL
# Which tasks a worker takes: quick (events and short tasks), slow (converting media), or all of them.
WORKER_QUEUES = env.str("WORKER_QUEUES", default="all")
if WORKER_QUEUES not in ("all", "quick", "slow"):
    raise ImproperlyConfigured("WORKER_QUEUES must be all, quick or slow")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
_BROKER_SECONDS = 5  # that a broker may take to respond; one that hangs must not block a process forever
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"confirm_publish": True, "read_timeout": _BROKER_SECONDS, "write_timeout": _BROKER_SECONDS}
    if BROKER_URL.startswith("amqp")
    else {
        "priority_steps": [0],  # messages have none: by default Redis is asked for four lists for each queue
        "global_keyprefix": f"{REDIS_PREFIX}celery:",
        "socket_timeout": _BROKER_SECONDS,
        "health_check_interval": 2
        * _BROKER_SECONDS,  # while waiting for messages, it hears from a live Redis this often
    }
)
CELERY_BROKER_HEARTBEAT = 2 * _BROKER_SECONDS  # RabbitMQ's and ours: it reconnects after two missing ones
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_DB_REUSE_MAX = 1_000_000  # tasks; otherwise Celery reconnects for each: see `socialapp/celery.py`
CELERY_TIMEZONE = "UTC"
RECONCILE_EVERY_SECONDS = env.float("RECONCILE_EVERY_SECONDS", default=5.0)
RECONCILE_AFTER_SECONDS = env.float("RECONCILE_AFTER_SECONDS", default=10.0)
OUTBOX_RETENTION_DAYS = env.int("OUTBOX_RETENTION_DAYS", default=7)
