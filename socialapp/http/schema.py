"""OpenAPI: every operation documents its problems, its headers and its list form."""

from functools import cache
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from socialapp.core.errors import PROBLEMS
from socialapp.http.permissions import Public, PublicRead
from socialapp.http.rendering import ProblemRenderer


class FieldErrorBody(serializers.Serializer[Any]):
    """An error in one field."""

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
    methods = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With `confirmation_required` only: how the session can be confirmed.",
    )


PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "default": 20},
        description="Items per page; larger values are reduced to 100.",
    ),
    OpenApiParameter("cursor", str, description="The position to continue from; taken from `next` or `previous`."),
]


def page_of(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The schema of a list response with `item`s as results."""
    return _page_class(item)()


@cache
def _page_class(item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    # One class per item: the schema distinguishes components by identity.
    fields = {
        "results": item(many=True),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
    }
    return type(f"{item.__name__.removesuffix('Body')}PageBody", (serializers.Serializer,), fields)


_VERBS = {"PUT": "set", "PATCH": "edit", "DELETE": "delete"}


class ProblemAwareSchema(AutoSchema):
    """Adds what the kernel accepts and returns to each operation: problems and conditional requests."""

    def get_auth(self) -> Any:
        """The bearer token, or nothing where none is needed."""
        required: list[dict[str, Any]] = super().get_auth()
        public = any(
            isinstance(permission, Public) or (isinstance(permission, PublicRead) and self.method in ("GET", "HEAD"))
            for permission in self.view.get_permissions()
        )
        return [*required, {}] if public else required

    def get_operation_id(self) -> str:
        """The words of the path, and the operation: `posts_create`, `posts_list`, `posts_bookmark_set`.

        A POST that creates nothing has its verb in the path already: `auth_login`, `notifications_read`.
        """
        words = [
            word.replace("-", "_") for word in self.path.removeprefix("/v1").split("/") if word and "{" not in word
        ]
        return "_".join([*words, *filter(None, [self._verb()])])

    def _verb(self) -> str:
        if self.method == "GET":
            return "list" if self._answers_a_page() else "read"
        if self.method == "POST":
            return "create" if getattr(self.view, "has_idempotency_key", False) or self._answers(201) else ""
        return _VERBS[self.method]

    def _answers_a_page(self) -> bool:
        answers: Any = self.get_response_serializers()
        answer = answers.get(200) if isinstance(answers, dict) else answers
        return "results" in getattr(answer() if isinstance(answer, type) else answer, "fields", {})

    def _answers(self, status: int) -> bool:
        answers: Any = self.get_response_serializers()
        return isinstance(answers, dict) and status in answers

    def get_override_parameters(self) -> Any:
        """The headers that the kernel reads."""
        declared: list[Any] = list(super().get_override_parameters())
        if self.method == "POST" and getattr(self.view, "has_idempotency_key", False):
            declared.append(_idempotency_key())
        if self._has_etag():
            if self.method == "GET":
                declared.append(_header("If-None-Match", "Returns 304 if the object still has this ETag."))
            else:
                declared.append(_header("If-Match", "Returns 412 if the object was edited since it had this ETag."))
        return declared

    def _has_etag(self) -> bool:
        return bool(getattr(self.view, "has_etag", False)) and self.method in ("GET", "PATCH", "DELETE")

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        if self._has_etag() and self.method == "GET":
            responses.setdefault("304", {"description": "Not modified"})
        for status in self._problem_statuses():
            problem = OpenApiResponse(ProblemBody, description=PROBLEMS[status].title)
            media_types = [ProblemRenderer.media_type]
            documented = self._get_response_for_code(  # type: ignore[no-untyped-call]
                problem, str(status), media_types, direction
            )
            responses.setdefault(str(status), documented)
        if "201" in responses and (made := self._made_headers()):
            responses["201"]["headers"] = made
        for code, response in responses.items():
            if code >= "400" and "application/json" in response.get("content", {}):
                response["content"] = {ProblemRenderer.media_type: response["content"]["application/json"]}
        return responses

    def _made_headers(self) -> dict[str, Any]:
        """The headers of a 201 about the created object."""
        if not getattr(self.view, "location", ""):
            return {}
        made = {"Location": "The path of the created object."}
        if getattr(self.view, "new_version", None) is not None:
            made["ETag"] = "The ETag of the created object, for If-Match."
        return {name: {"schema": {"type": "string"}, "description": text} for name, text in made.items()}

    def _problem_statuses(self) -> list[int]:
        statuses = [400, 401, 403, 404, 422, 429, 503]
        if self.method in ("POST", "PUT", "PATCH", "DELETE"):
            statuses += [409, 412, 413, 415]
        return statuses


def _idempotency_key() -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        OpenApiParameter.HEADER,
        description="Makes a repeated creation return the first response, for a day.",
    )


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)
