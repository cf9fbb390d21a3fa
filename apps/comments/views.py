"""Views of comments."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.comments import access, actions, presenters, queries
from apps.comments.serializers import CommentBody, CommentInput, NewCommentInput
from socialapp.core.errors import Invalid, Malformed
from socialapp.core.pages import Page
from socialapp.http.etags import expected_versions, single
from socialapp.http.idempotency import create_once, replayed, replayed_soon
from socialapp.http.pagination import ids_from_query, page_request, page_response
from socialapp.http.permissions import PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View

_SORT = OpenApiParameter(
    "sort",
    str,
    enum=list(queries.SORTS),
    description="`oldest` (the default), `newest`, or `top`: most reactions first.",
)
_PAGE = page_of(CommentBody)
_LIST_DESCRIPTION = (
    "Comments of people whom you may not see are omitted, so a page may have fewer items than requested. "
    "Those with replies stay as tombstones, like deleted comments: `author` is null and `content` empty."
)


def _list(view: View, request: Request, *, post_id: int, parent_comment_id: int | None) -> Response:
    sort = request.query_params.get("sort", "oldest")
    if sort not in queries.SORTS:
        raise Malformed(f"sort must be one of {', '.join(queries.SORTS)}", code="sort_invalid")
    wanted = page_request(request, kinds=(int,) * len(queries.SORTS[sort]))
    page = queries.comment_page(
        post_id=post_id, parent_comment_id=parent_comment_id, sort=sort, page=wanted, viewer_id=view.viewer
    )
    visibility = access.load_visibility(viewer_id=view.viewer, comments=page.items)
    return page_response(
        request, page=page, results=presenters.comment_bodies(visibility=visibility, comments=page.items)
    )


class PostCommentsView(View):
    """`/posts/{id}/comments`."""

    has_idempotency_key = True
    location = "/v1/comments/{id}"
    new_version = 1
    permission_classes = [PublicRead]

    @extend_schema(
        summary="List the comments on a post",
        description=f"Top-level comments, each with its number of direct replies. {_LIST_DESCRIPTION}",
        parameters=[_SORT, *PAGE_PARAMETERS],
        responses=_PAGE,
    )
    def get(self, request: Request, post_id: int) -> Response:
        """A page of top-level comments."""
        access.visible_post(viewer_id=self.viewer, post_id=post_id)
        return _list(self, request, post_id=post_id, parent_comment_id=None)

    @extend_schema(
        summary="Comment on a post, or reply to a comment",
        description=(
            "Plain text of 1 to 5,000 characters; `@username` mentions people. A reply names its parent comment, "
            "which must be on the same post; threads are at most "
            f"{access.MAX_DEPTH} replies deep (422 `too_deep`). `media_ids` may have one image of yours that is ready."
        ),
        request=NewCommentInput,
        responses={201: CommentBody},
    )
    def post(self, request: Request, post_id: int) -> Response:
        """Writes a comment."""
        sent = self.read_input(NewCommentInput)
        if (answer := replayed(request, context="comments")) is not None:
            return answer
        draft = access.draft_comment(
            author_id=self.principal.id,
            post_id=post_id,
            parent_comment_id=sent["parent_comment_id"],
            content=sent["content"],
            media_ids=sent["media_ids"],
        )
        try:
            with actions.with_media(draft=draft, media_ids=sent["media_ids"]) as illustrated:

                def create() -> tuple[int, Any]:
                    comment = actions.create_comment(draft=illustrated)
                    return 201, presenters.new_comment_body(comment, author=draft.author, media=illustrated.media)

                return create_once(request, context="comments", create=create)
        except Invalid as refusal:
            is_in_use = any(error.code == "media_in_use" for error in refusal.errors)
            if is_in_use and (answer := replayed_soon(request, context="comments")) is not None:
                return answer  # this comment itself uses the image: the request was sent twice concurrently
            raise


class CommentsView(View):
    """`/comments?ids=`."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read several comments",
        description="Those of the comments that you may see, in the requested order; at most 100. Without tombstones.",
        parameters=[OpenApiParameter("ids", str, description="Up to 100 ids, separated by commas.")],
        responses=_PAGE,
    )
    def get(self, request: Request) -> Response:
        """Those of `?ids=` that may be seen."""
        comments = access.comments_on_visible_posts(viewer_id=self.viewer, comment_ids=ids_from_query(request))
        visibility = access.load_visibility(viewer_id=self.viewer, comments=comments)
        shown = [comment for comment in comments if visibility.author(comment) is not None]
        bodies = presenters.comment_bodies(visibility=visibility, comments=shown)
        return page_response(request, page=Page(shown), results=bodies)


class RepliesView(View):
    """`/comments/{id}/replies`."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="List the replies to a comment",
        description=f"Direct replies, each with its own number of replies. {_LIST_DESCRIPTION}",
        parameters=[_SORT, *PAGE_PARAMETERS],
        responses=_PAGE,
    )
    def get(self, request: Request, comment_id: int) -> Response:
        """A page of direct replies."""
        comment = access.comment_in_thread(viewer_id=self.viewer, comment_id=comment_id)
        return _list(self, request, post_id=comment.post_id, parent_comment_id=comment.id)


class CommentView(View):
    """`/comments/{id}`."""

    has_etag = True
    permission_classes = [PublicRead]

    @extend_schema(summary="Read a comment", responses=CommentBody)
    def get(self, request: Request, comment_id: int) -> Response:
        """The comment or tombstone."""
        comment = access.comment_in_thread(viewer_id=self.viewer, comment_id=comment_id)
        visibility = access.load_visibility_of_one(viewer_id=self.viewer, comment=comment)
        body = presenters.comment_body(visibility=visibility, comment=comment)
        return single(request, body=body, version=comment.version)

    @extend_schema(
        summary="Edit a comment",
        description="Only for its author. `If-Match` guards against overwriting a concurrent edit.",
        request=CommentInput,
        responses=CommentBody,
    )
    def patch(self, request: Request, comment_id: int) -> Response:
        """Changes the text."""
        content = self.read_input(CommentInput)["content"]
        expected = expected_versions(request)
        comment = actions.edit_comment(
            author_id=self.principal.id, comment_id=comment_id, content=content, expected_versions=expected
        )
        visibility = access.load_visibility_of_one(viewer_id=self.viewer, comment=comment)
        body = presenters.comment_body(visibility=visibility, comment=comment)
        return single(request, body=body, version=comment.version)

    @extend_schema(
        summary="Delete a comment",
        description="For its author, the author of the post and moderators. With replies it stays as a tombstone.",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, comment_id: int) -> Response:
        """Deletes the comment."""
        expected = expected_versions(request)
        actions.delete_or_remove_comment(
            principal=self.principal,
            comment=access.removable_comment(principal=self.principal, comment_id=comment_id),
            expected_versions=expected,
        )
        return Response(status=204)
