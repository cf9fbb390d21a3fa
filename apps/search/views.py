"""The routes of search."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.search import queries
from apps.search.queries.language import MAX_QUERY
from apps.search.serializers import SearchResultBody
from socialapp.core.errors import Invalid
from socialapp.core.pages import Page
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, ProblemBody, page_of
from socialapp.http.views import View

_POSITIONS: dict[str, tuple[type, ...]] = {"users": (int, int, int), "hashtags": (int, str, int)}
_MOST_SUGGESTIONS = 20
_TYPED = {"type": "string", "minLength": 1, "maxLength": MAX_QUERY, "pattern": r"\S"}
_LANGUAGE = (
    'Words must all be there. `"a phrase"` must stand together, `-word` must not be there, `#tag` finds posts with the '
    "hashtag, `from:username` posts of one person, `before:2026-01-01` posts older than that day (UTC), "
    "`after:2026-01-01` posts from that day on, `has:media` posts with media. Case and accents do not count."
)
_ANSWERS = {
    200: page_of(SearchResultBody),
    422: OpenApiResponse(ProblemBody, description="Nothing to search for, or a filter that is not understood."),
}


class SearchView(View):
    """`/search`."""

    permission_classes = [PublicRead]
    rate = "search"

    @extend_schema(
        operation_id="search",
        summary="Search people, posts and hashtags",
        description=f"{_LANGUAGE} Without `type` a few people and hashtags come first, then posts. "
        "Posts are listed newest first, people by how well the name fits and by followers, hashtags by use.",
        parameters=[
            OpenApiParameter("q", _TYPED, required=True, description=_LANGUAGE),
            OpenApiParameter("type", str, enum=list(queries.KINDS), description="Only this kind."),
            *PAGE_PARAMETERS,
        ],
        responses=_ANSWERS,
    )
    def get(self, request: Request) -> Response:
        """A page of results."""
        kind = request.query_params.get("type") or None
        if kind is not None and kind not in queries.KINDS:
            raise Invalid.of("type", "invalid_choice", f"type must be one of: {', '.join(queries.KINDS)}.")
        page = page_request(request, kinds=_POSITIONS.get(kind or "", (int,)))
        found = queries.search(
            viewer_id=self.viewer,
            q=_text(request),
            kind=kind,
            window=page,
        )
        bodies = [result.body() for result in found.items]
        return page_response(request, Page(bodies, found.next, found.previous), bodies)


class SuggestView(View):
    """`/search/suggest`."""

    permission_classes = [PublicRead]
    rate = "search"

    @extend_schema(
        operation_id="search_suggest",
        summary="Suggest people and hashtags as you type",
        description="Those whose names begin with `q`; `@` or `#` in front asks for one kind only. There is one page.",
        parameters=[
            OpenApiParameter("q", _TYPED, required=True, description="What was typed so far."),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "default": _MOST_SUGGESTIONS},
                description="At most this many.",
            ),
        ],
        responses=_ANSWERS,
    )
    def get(self, request: Request) -> Response:
        """The suggestions."""
        limit = min(page_request(request).limit, _MOST_SUGGESTIONS)
        found = queries.suggest(viewer_id=self.viewer, q=_text(request), limit=limit)
        bodies: list[dict[str, Any]] = [result.body() for result in found]
        return page_response(request, Page(bodies), bodies)


def _text(request: Request) -> str:
    return request.query_params.get("q", "")
