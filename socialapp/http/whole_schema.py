"""The OpenAPI document of the whole product, even if this process serves only a part of it."""

import time
from functools import cache
from threading import Lock
from typing import Any

import orjson
import structlog
from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from socialapp.contracts.description import Description
from socialapp.core.contexts import CONTEXTS, serves
from socialapp.core.errors import Unavailable
from socialapp.http.problems import reading_only
from socialapp.rpc.calls import client

log = structlog.get_logger()

Schema = dict[str, Any]


class ContextDescription:
    """The `Description` contract; the result is the same for every context served here."""

    def openapi(self) -> str:
        """See `Description.openapi`."""
        return _own_schema()


@cache
def _own_schema() -> str:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return OpenApiJsonRenderer().render(schema).decode()


_SECONDS = 60.0  # for which the document of several services is cached; that of this process does not change
_kept: dict[str, tuple[float, bytes]] = {}
_making = Lock()


@reading_only
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1. Cached, as building it takes a third of a second and anybody may request it."""
    with _making:
        until, content = _kept.get("document", (0.0, b""))
        if until < time.monotonic():
            generator = WholeSchemaGenerator()  # type: ignore[no-untyped-call]
            content = OpenApiJsonRenderer().render(generator.get_schema(request=None, public=True))
            _kept["document"] = time.monotonic() + _SECONDS, content
    return HttpResponse(content, content_type=OpenApiJsonRenderer.media_type, headers={"Cache-Control": "no-cache"})


class WholeSchemaGenerator(SchemaGenerator):
    """Adds the descriptions of other services; unavailable ones are omitted."""

    def get_schema(self, request: Any = None, public: bool = False) -> Schema:
        """The document, with the paths in order."""
        schema: Schema = super().get_schema(request=request, public=public)  # type: ignore[no-untyped-call]
        described = set(schema["paths"])
        for name in CONTEXTS:
            if not serves(name):
                _merge(schema, _schema_elsewhere(name))
        if described != set(schema["paths"]):
            schema["paths"] = dict(sorted(schema["paths"].items()))
        return schema


def _schema_elsewhere(context: str) -> Schema:
    try:
        return dict(orjson.loads(client(Description, context=context).openapi()))
    except Unavailable as error:
        log.warning("schema.part_missing", context=context, error=str(error))
        return {}


def _merge(schema: Schema, other: Schema) -> None:
    schema["paths"].update(other.get("paths", {}))
    for kind, named in other.get("components", {}).items():
        found = schema["components"].setdefault(kind, {})
        found.update(named)
        schema["components"][kind] = dict(sorted(found.items()))
