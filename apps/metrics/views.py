"""Views of metrics: an author's own numbers."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.metrics import access, presenters, queries
from apps.metrics.serializers import AuthorMetricsBody, PostMetricsBody
from socialapp.http.etags import single
from socialapp.http.views import View


class PostMetricsView(View):
    """`/posts/{id}/metrics`."""

    has_etag = True

    @extend_schema(
        summary="Read the metrics of a post",
        description="Only for its author: views, reactions, comments and reposts, in total and by day.",
        responses=PostMetricsBody,
    )
    def get(self, request: Request, post_id: int) -> Response:
        """The numbers of one post."""
        access.check_author(viewer_id=self.principal.id, post_id=post_id)
        body = presenters.totals_body(queries.post_totals(post_id=post_id))
        return single(request, body=body, version=1)


class OwnMetricsView(View):
    """`/metrics/me`."""

    has_etag = True

    @extend_schema(
        summary="Read your metrics",
        description="Engagement with all your posts, posts written and followers gained, in total and by day.",
        responses=AuthorMetricsBody,
    )
    def get(self, request: Request) -> Response:
        """The caller's numbers."""
        body = presenters.totals_body(queries.author_totals(author_id=self.principal.id))
        return single(request, body=body, version=1)
