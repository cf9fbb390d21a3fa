"""Views of reactions: one pair for posts and one for comments."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.reactions import access, actions, presenters, queries
from apps.reactions.serializers import ReactionBody, ReactionInput, ReactionStateBody
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View

_TYPE = OpenApiParameter("type", str, enum=queries.REACTION_TYPES, description="Only reactions of this type.")
_PAGE = page_of(ReactionBody)
_LIST_DESCRIPTION = (
    "Newest first. People whom you may not see are omitted, so a page may have fewer items than requested."
)

_REMOVAL_DESCRIPTION = "404 if you may no longer see the target, although the reaction was removed."


class _ReactionView(View):
    """The caller's reaction to one target."""

    target_type: str

    def _set(self, request: Request, target_id: int) -> Response:
        reaction_type = self.read_input(ReactionInput)["reaction_type"]
        target = access.visible_target(viewer_id=self.principal.id, target_type=self.target_type, target_id=target_id)
        counts = actions.set_reaction(user_id=self.principal.id, target=target, reaction_type=reaction_type)
        return Response(presenters.reaction_state_body(counts, mine=reaction_type))

    def _remove(self, request: Request, target_id: int) -> Response:
        # Before the check: people may remove their reaction even if they no longer see the target, which then returns
        # 404.
        actions.remove_reaction(user_id=self.principal.id, target_type=self.target_type, target_id=target_id)
        access.visible_target(viewer_id=self.principal.id, target_type=self.target_type, target_id=target_id)
        summary = queries.summary(viewer_id=self.principal.id, target_type=self.target_type, target_id=target_id)
        return Response(presenters.reaction_state_body(summary.counts, mine=summary.mine))


class _ReactionListView(View):
    """Who reacted to one target."""

    permission_classes = [PublicRead]
    target_type: str

    def _list(self, request: Request, target_id: int) -> Response:
        reaction_type = request.query_params.get("type")
        access.require_reaction_type(reaction_type)
        access.visible_target(viewer_id=self.viewer, target_type=self.target_type, target_id=target_id)
        page = queries.reaction_page(
            target_type=self.target_type, target_id=target_id, reaction_type=reaction_type, page=page_request(request)
        )
        reactors = access.visible_reactors(viewer_id=self.viewer, reactions=page.items)
        return page_response(request, page=page, results=presenters.reaction_bodies(page.items, reactors=reactors))


class PostReactionView(_ReactionView):
    """`/posts/{id}/reaction`."""

    hot_methods = ("PUT",)
    target_type = "post"

    @extend_schema(
        summary="React to a post",
        description="One reaction per person and post; setting another replaces it. Repeating it changes nothing.",
        request=ReactionInput,
        responses=ReactionStateBody,
    )
    def put(self, request: Request, post_id: int) -> Response:
        """Sets the caller's reaction."""
        return self._set(request, post_id)

    @extend_schema(
        summary="Remove your reaction to a post",
        description=_REMOVAL_DESCRIPTION,
        request=None,
        responses={200: ReactionStateBody},
    )
    def delete(self, request: Request, post_id: int) -> Response:
        """Removes the caller's reaction, if there is one."""
        return self._remove(request, post_id)


class CommentReactionView(_ReactionView):
    """`/comments/{id}/reaction`."""

    target_type = "comment"

    @extend_schema(
        summary="React to a comment",
        description="One reaction per person and comment; setting another replaces it. Repeating it changes nothing.",
        request=ReactionInput,
        responses=ReactionStateBody,
    )
    def put(self, request: Request, comment_id: int) -> Response:
        """Sets the caller's reaction."""
        return self._set(request, comment_id)

    @extend_schema(
        summary="Remove your reaction to a comment",
        description=_REMOVAL_DESCRIPTION,
        request=None,
        responses={200: ReactionStateBody},
    )
    def delete(self, request: Request, comment_id: int) -> Response:
        """Removes the caller's reaction, if there is one."""
        return self._remove(request, comment_id)


class PostReactionsView(_ReactionListView):
    """`/posts/{id}/reactions`."""

    target_type = "post"

    @extend_schema(
        summary="List who reacted to a post",
        description=_LIST_DESCRIPTION,
        parameters=[_TYPE, *PAGE_PARAMETERS],
        responses=_PAGE,
    )
    def get(self, request: Request, post_id: int) -> Response:
        """A page of reactions."""
        return self._list(request, post_id)


class CommentReactionsView(_ReactionListView):
    """`/comments/{id}/reactions`."""

    target_type = "comment"

    @extend_schema(
        summary="List who reacted to a comment",
        description=_LIST_DESCRIPTION,
        parameters=[_TYPE, *PAGE_PARAMETERS],
        responses=_PAGE,
    )
    def get(self, request: Request, comment_id: int) -> Response:
        """A page of reactions."""
        return self._list(request, comment_id)
