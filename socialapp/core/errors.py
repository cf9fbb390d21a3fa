"""The errors of business code: each problem has its HTTP status and code, independent of HTTP libraries.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from collections.abc import Container
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error in one field of the input."""

    field: str
    code: str
    detail: str


@dataclass(eq=False)
class Problem(Exception):
    """An error for the caller. `code` is stable and machine-readable, `detail` is for people."""

    detail: str
    code: str = ""
    errors: list[FieldError] = field(default_factory=list)
    retry_after: int | None = None
    # Extension members of the problem (RFC 9457, section 3.2).
    members: dict[str, object] = field(default_factory=dict)

    status = 400
    title = "Bad request"
    default_code = "bad_request"

    def __post_init__(self) -> None:
        self.code = self.code or self.default_code
        super().__init__(self.detail)


class Malformed(Problem):
    """400: the request cannot be understood."""

    default_code = "malformed"


class Unauthenticated(Problem):
    """401: no token, or an invalid one."""

    status, title, default_code = 401, "Unauthorized", "unauthenticated"


class Forbidden(Problem):
    """403: known, visible, and not allowed."""

    status, title, default_code = 403, "Forbidden", "forbidden"


class NotFound(Problem):
    """404: it does not exist, or is not visible to this caller; the two look the same."""

    status, title, default_code = 404, "Not found", "not_found"


class Conflict(Problem):
    """409: the state does not allow it."""

    status, title, default_code = 409, "Conflict", "conflict"


class Stale(Problem):
    """412: the newest version is not one that `If-Match` and `If-None-Match` allow."""

    status, title, default_code = 412, "Precondition failed", "stale"


def require_version(version: int, *, expected: Container[int] | None, detail: str) -> None:
    """Stale, with this detail, unless the version is one of the expected ones; None, as without `If-Match`, allows
    any."""
    if expected is not None and version not in expected:
        raise Stale(detail)


class TooLarge(Problem):
    """413: the body exceeds the limit."""

    status, title, default_code = 413, "Content too large", "too_large"


class UnsupportedType(Problem):
    """415: the body has a type that this route does not accept."""

    status, title, default_code = 415, "Unsupported media type", "unsupported_type"


class Invalid(Problem):
    """422: well-formed, but fields are invalid; `errors` lists them."""

    status, title, default_code = 422, "Unprocessable content", "invalid"

    @classmethod
    def of(cls, field_name: str, code: str, detail: str) -> "Invalid":
        """An error in one field."""
        return cls(detail, errors=[FieldError(field_name, code, detail)])


class TooMany(Problem):
    """429: a rate limit; `retry_after` is in seconds."""

    status, title, default_code = 429, "Too many requests", "rate_limited"


class Unavailable(Problem):
    """503: something required is unavailable. Never the fault of the input."""

    status, title, default_code = 503, "Service unavailable", "unavailable"


def store_unavailable() -> Unavailable:
    """The error while the store of files, or the disk on which they wait for it, is unavailable or full."""
    return Unavailable("files cannot be stored or read right now", code="store_unavailable")


PROBLEMS: dict[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        Malformed,
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        Stale,
        TooLarge,
        UnsupportedType,
        Invalid,
        TooMany,
        Unavailable,
    )
}
