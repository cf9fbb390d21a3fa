"""Logging: one JSON object per line."""

import json
import logging
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured

from socialapp.settings.environment import env
from socialapp.telemetry.redact import redact

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in logging.getLevelNamesMapping():
    raise ImproperlyConfigured(f"LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not {LOG_LEVEL!r}")
_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
]


class _Line(str):
    """A line that is already formatted."""


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Formats the lines of loggers other than structlog's, whose lines arrive formatted."""

    def format(self, record: logging.LogRecord) -> str:
        """The formatted line."""
        return record.msg if isinstance(record.msg, _Line) else super().format(record)


_encoder = json.JSONEncoder(default=repr)  # reused: `json.dumps` would create one for each line


def _to_line(event: dict[str, Any], **_options: Any) -> _Line:
    return _Line(_encoder.encode(event))


_renderer = structlog.processors.JSONRenderer(serializer=_to_line)
structlog.configure(
    processors=[*_processors, _renderer],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.make_filtering_bound_logger(LOG_LEVEL),
    cache_logger_on_first_use=True,
)
# Information that lines do not show is not collected: https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": LineFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer,
            ],
            "foreign_pre_chain": _processors,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "elastic_transport": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
    },
}
