"""OpenAPI: every operation documents its problems, its headers and its list form."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class FieldErrorBody(serializers.Serializer[Any]):
    """One thing wrong with one field."""

    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemBody(serializers.Serializer[Any]):
    """An error. Source: RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = FieldErrorBody(many=True)  # type: ignore[assignment]


PAGE_PARAMETERS = [
    OpenApiParameter("limit", int, description="Items a page, 1 to 100; 20 when absent."),
    OpenApiParameter("cursor", str, description="Where to go on; taken from `next` or `previous`."),
]


def page_of(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The schema of a list answer whose results are `item`s."""
    name = item.__name__.removesuffix("Body")
    fields = {
        "results": item(many=True),
        "next": serializers.CharField(allow_null=True),
        "previous": serializers.CharField(allow_null=True),
    }
    made: serializers.Serializer[Any] = type(f"{name}PageBody", (serializers.Serializer,), fields)()
    return made


class ProblemAwareSchema(AutoSchema):
    """Adds to each operation the problems that the kernel itself can answer with."""

    def get_response_serializers(self) -> Any:
        """The declared responses and the kernel's."""
        declared: Any = super().get_response_serializers()
        responses: dict[Any, Any] = dict(declared) if isinstance(declared, dict) else {200: declared}
        documented = {str(key[0] if isinstance(key, tuple) else key) for key in responses}
        for status in self._problem_statuses():
            if str(status) not in documented:
                responses[(status, "application/problem+json")] = OpenApiResponse(ProblemBody)
        return responses

    def _problem_statuses(self) -> list[int]:
        statuses = [400, 401, 403, 404, 429, 503]
        if self.method in ("POST", "PUT", "PATCH", "DELETE"):
            statuses += [409, 412, 413, 415, 422]
        return statuses
