"""Views of search."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.search import access, presenters
from apps.search.queries import MAX_QUERY
from apps.search.serializers import SearchPageBody, SearchResultBody
from socialapp.core.cache import Command
from socialapp.core.errors import Invalid
from socialapp.core.pages import Page
from socialapp.core.principal import Principal
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, ProblemBody, page_of
from socialapp.http.views import View

_POSITIONS: dict[str, tuple[type, ...]] = {"users": (int, int, int), "hashtags": (int, str, int)}
_RANKED_POSITION = (str, int)
_MAX_SUGGESTIONS = 20
_TYPED = {"type": "string", "minLength": 1, "maxLength": MAX_QUERY, "pattern": r"\S"}
_LANGUAGE = (
    "All terms must match; `OR` between terms and parentheses form alternatives, and `-` before a term or "
    'parenthesis excludes it. A word also matches its other forms and synonyms; `"a phrase"` must match exactly. '
    "`#tag` finds posts with the hashtag, `from:username` posts of one person, `before:2026-01-01` posts older than "
    "that day (UTC), `after:2026-01-01` posts from that day on, `has:media`, `has:link` and `has:cw` posts with media, "
    "a link or a content warning, `lang:de` posts in a language, `min_reactions:10` posts with at least that many "
    "reactions (some seconds late). Case and accents are ignored."
)
_ANSWERS = {
    200: page_of(SearchResultBody),
    422: OpenApiResponse(ProblemBody, description="The query is empty or cannot be parsed; the detail says where."),
}


class SearchView(View):
    """`/search`."""

    hot_methods = ("GET",)
    permission_classes = [PublicRead]
    rate = "search"

    def commands_ahead(self, principal: Principal | None) -> Sequence[Command]:
        """The caller's circle."""
        return access.circle_commands(principal.id) if principal is not None else ()

    @extend_schema(
        summary="Search people, posts and hashtags",
        description=f"{_LANGUAGE} Without `type` a few people and hashtags come first, then posts. "
        "Posts are sorted newest first or by relevance (text, recency and engagement), people by how well the name "
        "matches and by followers, hashtags by use. A list by relevance can be paged for five minutes.",
        parameters=[
            OpenApiParameter("q", _TYPED, required=True, description=_LANGUAGE),
            OpenApiParameter("type", str, enum=list(access.KINDS), description="Only results of this type."),
            OpenApiParameter("sort", str, enum=list(access.SORTS), default="recent", description="Order of posts."),
            *PAGE_PARAMETERS,
        ],
        responses={**_ANSWERS, 200: SearchPageBody},
    )
    def get(self, request: Request) -> Response:
        """A page of results."""
        kind = _choice(request, "type", access.KINDS)
        sort = _choice(request, "sort", access.SORTS) or "recent"
        of_posts = _RANKED_POSITION if sort == "relevance" else (int,)
        page = page_request(request, kinds=_POSITIONS.get(kind or "", of_posts))
        found = access.search(
            viewer_id=self.viewer,
            q=_text(request),
            kind=kind,
            sort=sort,
            window=page,
            answers=self.answers_ahead,
        )
        bodies = [presenters.result_body(result) for result in found.page.items]
        answer = page_response(request, page=Page(bodies, found.page.next, found.page.previous), results=bodies)
        answer.data["did_you_mean"] = found.did_you_mean
        return answer


class SuggestView(View):
    """`/search/suggest`."""

    permission_classes = [PublicRead]
    rate = "search"

    @extend_schema(
        summary="Suggest people and hashtags as you type",
        description="Names that begin with `q`; a leading `@` or `#` limits it to one kind. Only one page.",
        parameters=[
            OpenApiParameter("q", _TYPED, required=True, description="The text typed so far."),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "default": _MAX_SUGGESTIONS},
                description="At most this many.",
            ),
        ],
        responses=_ANSWERS,
    )
    def get(self, request: Request) -> Response:
        """The suggestions."""
        limit = min(page_request(request).limit, _MAX_SUGGESTIONS)
        found = access.suggest(viewer_id=self.viewer, q=_text(request), limit=limit)
        bodies = [presenters.result_body(result) for result in found]
        return page_response(request, page=Page(bodies), results=bodies)


def _text(request: Request) -> str:
    return request.query_params.get("q", "")


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str | None:
    chosen = request.query_params.get(name) or None
    if chosen is not None and chosen not in choices:
        raise Invalid.of(name, "invalid_choice", f"{name} must be one of: {', '.join(choices)}.")
    return chosen
