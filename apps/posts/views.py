"""The routes of posts."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.posts.actions.posts import create_post, delete_post
from apps.posts.queries.access import visible_row
from apps.posts.queries.bodies import Surroundings, bodies_of, body_of, visible_bodies
from apps.posts.queries.texts import draft_of
from apps.posts.serializers import NewPost, PostBody
from socialapp.api import etags
from socialapp.api.idempotency import create_once, replayed
from socialapp.api.pagination import Page, ids_from_query, page_response
from socialapp.api.permissions import PublicRead
from socialapp.api.schema import page_of
from socialapp.api.views import View
from socialapp.errors import Forbidden


class PostList(View):
    """Several posts at once, and new ones."""

    permission_classes = [PublicRead]

    @extend_schema(
        operation_id="posts_by_ids",
        summary="Several posts by id",
        description="Those of the posts that you may see, in the order asked for; at most 100.",
        parameters=[OpenApiParameter("ids", str, required=True, description="Ids, separated by commas.")],
        responses=page_of(PostBody),
    )
    def get(self, request: Request) -> Response:
        """Those of `?ids=` that may be seen."""
        bodies = visible_bodies(self.viewer, ids_from_query(request))
        return page_response(request, Page(bodies), bodies)

    @extend_schema(
        operation_id="post_create",
        summary="Write a post",
        description="Without `is_private` the post is as private as your account.",
        request=NewPost,
        responses={201: PostBody},
    )
    def post(self, request: Request) -> Response:
        """A new post; safe to repeat with an Idempotency-Key."""
        if answer := replayed(request, context="posts"):
            return answer
        sent = self.read_input(NewPost)
        draft = draft_of(author_id=self.principal.id, content=sent["content"], is_private=sent.get("is_private"))

        def create() -> tuple[int, dict[str, object]]:
            return 201, body_of(create_post(draft=draft), draft.author.card, Surroundings())

        return create_once(request, context="posts", create=create)


class PostDetail(View):
    """One post."""

    permission_classes = [PublicRead]

    @extend_schema(operation_id="post_read", summary="Read a post", responses=PostBody)
    def get(self, request: Request, post_id: int) -> Response:
        """The post with its ETag; 404 when it is not visible to the caller."""
        row, sight = visible_row(self.viewer, post_id)
        return etags.single(request, bodies_of([row], sight)[0], version=row.version)

    @extend_schema(
        operation_id="post_delete",
        summary="Delete a post",
        description="By its author or a moderator. `If-Match` is honoured.",
        responses={204: None},
    )
    def delete(self, request: Request, post_id: int) -> Response:
        """204; 403 for those who can see the post but may not delete it."""
        expected = etags.expected_version(request)
        if not self.principal.is_staff:
            row, _ = visible_row(self.viewer, post_id)
            if row.user_id != self.principal.id:
                raise Forbidden("only its author can delete a post", code="not_the_author")
        delete_post(post_id=post_id, expected_version=expected)
        return Response(status=204)
