"""JSON as the API writes it: `orjson`, times by RFC 3339 with milliseconds."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson


def to_json(data: Any) -> bytes:
    """JSON bytes; data classes and times in the format of the API."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


@lru_cache(maxsize=4096)  # unedited posts have the same time twice, and many read the same posts
def rfc3339(moment: datetime) -> str:
    """A time in the format of the API: UTC, milliseconds, `Z`. Source: RFC 3339."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds")[:-6] + "Z"  # -6: without "+00:00"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
