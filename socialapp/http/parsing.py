"""Reads JSON bodies strictly: UTF-8, no NaN, no duplicate members, bounded size, and only objects."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import IO, Any, NoReturn

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from socialapp.core.errors import Malformed, store_unavailable

# Up to as long as Django accepts it: its parser takes quadratic time for semicolons in quotation marks.
_BOUNDARY = re.compile(r';\s*(boundary=(?:"[^"]{0,200}"|[^\s;"]{1,200}))', re.IGNORECASE)


def plain_content_type(sent: str) -> str:
    """A Content-Type without its parameters, except the boundary of a form.

    Bodies and queries are UTF-8. Django would decode queries and forms with any `charset` of Python that a request
    names ("base64"), and fails before its error handling if that, or another parameter, cannot be used.
    """
    kind, boundary = sent.partition(";")[0].strip(), _BOUNDARY.search(sent)
    return f"{kind}; {boundary[1]}" if boundary else kind


def plain_cookies(sent: str) -> str:
    """A Cookie header without backslashes, which no cookie of ours has (RFC 6265, section 4.1.1).

    Before 3.11.10 and 3.12.6, Python takes quadratic time to remove them from a quoted value (CVE-2024-7592).
    """
    return sent.replace("\\", "")


class JSONParser(BaseParser):
    """`application/json`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object in the body; 400 for anything else."""
        try:
            text = stream.read().decode("utf-8")
            body = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_members)
            _refuse_lone_surrogates(text, body)
        except RecursionError:
            raise nested_too_deeply() from None
        except (UnicodeDecodeError, ValueError) as error:
            raise Malformed(f"the body is not valid JSON: {error}", code="malformed_json") from None
        if not isinstance(body, dict):
            raise Malformed("the body must be a JSON object", code="malformed_json")
        return body


def nested_too_deeply() -> Malformed:
    """The refusal of a body for its depth."""
    return Malformed("the body is nested too deeply", code="malformed_json")


def _refuse_lone_surrogates(text: str, body: Any) -> None:
    """Half a character, escaped as in "\\ud800", cannot be stored or sent back."""
    if "\\u" in text:
        json.dumps(body, ensure_ascii=False).encode("utf-8")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a member twice")
    return members


class NamelessFileHandler(TemporaryFileUploadHandler):
    """Streams uploads to temporary files, whose names have nothing of what the client calls them.

    Django's have the extension, which may be too long for a file system.
    """

    def new_file(self, field_name: str, file_name: str, *details: Any) -> None:
        """See `FileUploadHandler.new_file`."""
        super().new_file(field_name, "upload", *details)


class FormParser(BaseParser):
    """`multipart/form-data`: files are streamed to disk. The view must close its `received_files`."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The fields and files, each once; 400 for anything else, 503 if the disk is full."""
        context = dict(parser_context or {})
        try:
            form = MultiPartParser().parse(stream, media_type, context)
        except (ParseError, SuspiciousOperation, UnicodeError) as error:
            _delete_unfinished(context["request"].upload_handlers)
            raise Malformed(f"the form cannot be read: {error}", code="malformed_form") from None
        except OSError as error:
            _delete_unfinished(context["request"].upload_handlers)
            raise store_unavailable() from error
        context["view"].received_files = [file for _, some in form.files.lists() for file in some]
        fields: dict[str, Any] = {}
        for name, values in (*form.data.lists(), *form.files.lists()):
            if name in fields or len(values) != 1:
                raise Malformed("the form has a field twice", code="malformed_form")
            fields[name] = values[0]
        return fields


def _delete_unfinished(handlers: Iterable[FileUploadHandler]) -> None:
    """Deletes the file that was being received. Django leaves it to the garbage collector, which may take hours."""
    for handler in handlers:
        with suppress(OSError):  # what is still buffered does not fit on a full disk either
            handler.upload_interrupted()
