"""Renders responses as JSON with `orjson`."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from socialapp.core.json import to_json


class JSONRenderer(BaseRenderer):
    """Bodies as JSON; `bytes` are already JSON (cached fragments)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body, empty for None."""
        if data is None:
            return b""
        return data if isinstance(data, bytes) else to_json(data)


class ProblemRenderer(JSONRenderer):
    """Bodies of errors. Source: RFC 9457."""

    media_type = "application/problem+json"
    format = "problem"


class AlwaysJSON(BaseContentNegotiation):
    """No negotiation: there is only one representation."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the body's type; None, also for a compressed body, leads to 415."""
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
            return None
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer of the view."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""
