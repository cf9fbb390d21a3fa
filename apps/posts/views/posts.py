"""Views of posts."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.posts import access, actions, presenters
from apps.posts.access import PostStats, VisiblePost
from apps.posts.serializers import (
    HashtagBody,
    NewPost,
    PostBody,
    PostChange,
    PostVersionBody,
    PostVisibilityBody,
    ViewedPosts,
)
from socialapp.core.cache import Command
from socialapp.core.errors import Forbidden, Malformed
from socialapp.core.fragments import NOTHING_HELD, Held
from socialapp.core.pages import Page
from socialapp.core.principal import Principal
from socialapp.http import etags
from socialapp.http.admission import address_block, client_address
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.pagination import id_from_query, ids_from_query, page_request, page_response
from socialapp.http.permissions import Public, PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View

_MORE_ENTRIES = 4  # feed entries read beyond a page, as some may be invisible to the reader


class _BasePostView(View):
    """The base of the views of posts."""

    def page_of_posts(self, request: Request, page: Page[VisiblePost], *, held: Held = NOTHING_HELD) -> Response:
        """The page of posts that the caller may see. `held`: prefetched stats."""
        results = presenters.post_bodies(viewer_id=self.viewer, posts=page.items, held=held)
        return page_response(request, page=page, results=results)

    def one_post(self, post: VisiblePost, *, held: Held = NOTHING_HELD) -> Response:
        """One post, with its ETag. `held`: prefetched stats."""
        body = presenters.post_bodies(viewer_id=self.viewer, posts=[post], held=held)[0]
        return etags.single(self.request, body=body, version=post.row.version)


class PostsView(_BasePostView):
    """`/posts`: several posts at once, and new ones."""

    hot_methods = ("POST",)
    has_idempotency_key = True
    location = "/v1/posts/{id}"
    new_version = 1
    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read several posts",
        description="Those of the posts that you may see, in the requested order; at most 100.",
        parameters=[OpenApiParameter("ids", str, description="Up to 100 ids, separated by commas.")],
        responses=page_of(PostBody),
    )
    def get(self, request: Request) -> Response:
        """Those of `?ids=` that may be seen."""
        posts = access.visible_posts(viewer_id=self.viewer, post_ids=ids_from_query(request))
        return self.page_of_posts(request, Page(posts))

    @extend_schema(
        summary="Write a post",
        description="Without `is_private` the post is as private as your account. Safe to repeat with Idempotency-Key.",
        request=NewPost,
        responses={201: PostBody},
    )
    def post(self, request: Request) -> Response:
        """A new post."""
        if answer := replayed(request, context="posts"):
            return answer
        sent = self.read_input(NewPost)
        draft = access.draft_post(author_id=self.principal.id, **{"is_private": None, **sent})

        def create() -> tuple[int, dict[str, object]]:
            row = actions.create_post(draft=draft)
            return 201, presenters.post_body(row, author=draft.author, stats=PostStats())

        return create_once(request, context="posts", create=create)


class PostView(_BasePostView):
    """`/posts/{id}`: one post."""

    hot_methods = ("GET",)
    has_etag = True
    permission_classes = [PublicRead]

    def commands_ahead(self, principal: Principal | None) -> Sequence[Command]:
        """Prefetches the post's stats, and whether its reader is already counted."""
        post_id, viewer_id = self.kwargs["post_id"], principal.id if principal else None
        return (
            access.stats_command(viewer_id=viewer_id, post_id=post_id),
            actions.is_counted_command(post_id=post_id, reader=self._reader(viewer_id)),
        )

    @extend_schema(
        summary="Read a post",
        description="404 if it does not exist or you may not see it. Counts each reader except the author once a day.",
        responses=PostBody,
    )
    def get(self, request: Request, post_id: int) -> Response:
        """The post with its ETag."""
        post = access.visible_post(viewer_id=self.viewer, post_id=post_id)
        stats, is_counted = self.answers_ahead or (None, False)
        author_id = post.row.user_id
        if request.method == "GET" and author_id != self.viewer and not is_counted:
            actions.count_view(post_id=post_id, author_id=author_id, reader=self._reader(self.viewer))
        held = access.held_stats(stats, viewer_id=self.viewer, post_id=post_id) if stats else NOTHING_HELD
        return self.one_post(post, held=held)

    def _reader(self, viewer_id: int | None) -> str:
        return actions.reader_of(viewer_id=viewer_id, address=address_block(client_address(self.request)))

    @extend_schema(
        summary="Edit a post",
        description="Only for its author. The earlier text is kept in the history. Supports `If-Match`.",
        request=PostChange,
        responses=PostBody,
    )
    def patch(self, request: Request, post_id: int) -> Response:
        """The edited post."""
        actions.edit_post(
            author_id=self.principal.id,
            post_id=post_id,
            changes=self.read_input(PostChange),
            expected_versions=etags.expected_versions(request),
        )
        return self.one_post(access.visible_post(viewer_id=self.viewer, post_id=post_id))

    @extend_schema(
        summary="Delete a post",
        description="For its author and moderators. Supports `If-Match`. A moderator's removal can be appealed.",
        responses={204: None},
    )
    def delete(self, request: Request, post_id: int) -> Response:
        """204; 403 for those who can see the post but may not delete it."""
        actions.delete_or_remove_post(
            principal=self.principal, post_id=post_id, expected_versions=etags.expected_versions(request)
        )
        return Response(status=204)


class PostHistoryView(_BasePostView):
    """`/posts/{id}/history`: the earlier texts of a post."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read the earlier texts of a post",
        description="Newest first. Texts from when the post was private are only for those who may see private posts.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PostVersionBody),
    )
    def get(self, request: Request, post_id: int) -> Response:
        """One page."""
        post = access.visible_post(viewer_id=self.viewer, post_id=post_id)
        page = access.history_page(viewer_id=self.viewer, post=post, page=page_request(request))
        return page_response(request, page=page, results=presenters.version_bodies(page.items, post=post.row))


class PostVisibilityView(View):
    """`/posts/{id}/visibility`: the rule that shows a post to somebody, or hides it."""

    @extend_schema(
        summary="Explain why somebody sees a post or not",
        description="For moderators and administrators. Without `viewer`: for anybody without a token.",
        parameters=[OpenApiParameter("viewer", str, description="The id of the viewer.")],
        responses=PostVisibilityBody,
    )
    def get(self, request: Request, post_id: int) -> Response:
        """The rule; 403 for everybody else."""
        if not self.principal.is_staff:
            raise Forbidden("only moderators may ask who sees a post", code="not_staff")
        viewer_id = id_from_query(request, name="viewer")
        rule = access.visibility_rule(viewer_id=viewer_id, post_id=post_id)
        return Response(presenters.visibility_body(rule, viewer_id=viewer_id))


class FeedView(_BasePostView):
    """`/feed`: the home feed."""

    hot_methods = ("GET",)

    def commands_ahead(self, principal: Principal | None) -> Sequence[Command]:
        """Prefetches the caller's list, and for its first page the stats of the newest posts."""
        if principal is None:
            return ()
        commands = actions.feed_commands(principal.id)
        try:
            page = page_request(self.request)
        except Malformed:  # reported later by `get`
            return ()
        if page.position is not None:
            return commands
        entries = page.limit + _MORE_ENTRIES
        return *commands, access.list_stats_command(
            actions.feed_key(principal.id), entries=entries, viewer_id=principal.id
        )

    @extend_schema(
        summary="Read your home feed",
        description="Your posts and those of the people you follow, and posts that these people reposted"
        " (`reposted_by`); newest post first, each post once.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PostBody),
    )
    def get(self, request: Request) -> Response:
        """One page."""
        *answers, stats = self.answers_ahead if len(self.answers_ahead) > 2 else (*self.answers_ahead, None)
        page = actions.read_home_feed(user_id=self.principal.id, page=page_request(request), answers=answers)
        held = access.held_list_stats(stats, viewer_id=self.principal.id) if stats else NOTHING_HELD
        return self.page_of_posts(request, page, held=held)


class AuthorPostsView(_BasePostView):
    """`/profiles/{id}/posts`: posts of one author."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read an author's posts",
        description="Those that you may see, newest first.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PostBody),
    )
    def get(self, request: Request, profile_id: int) -> Response:
        """One page."""
        page = access.author_page(viewer_id=self.viewer, author_id=profile_id, page=page_request(request))
        return self.page_of_posts(request, page)


class HashtagPostsView(_BasePostView):
    """`/hashtags/{tag}/posts`: posts with a hashtag."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read the posts with a hashtag",
        description="Those that you may see, newest first. The tag is written without #.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PostBody),
    )
    def get(self, request: Request, tag: str) -> Response:
        """One page."""
        page = access.hashtag_page(viewer_id=self.viewer, tag=tag, page=page_request(request))
        return self.page_of_posts(request, page)


class TrendingHashtagsView(_BasePostView):
    """`/hashtags/trending`: trending hashtags."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read the most used hashtags",
        description="Of the last day, among public posts of public accounts. One page only.",
        parameters=PAGE_PARAMETERS[:1],
        responses=page_of(HashtagBody),
    )
    def get(self, request: Request) -> Response:
        """The only page."""
        tags = access.trending_tags(viewer_id=self.viewer, limit=page_request(request).limit)
        return page_response(
            request, page=Page(tags), results=[{"name": tag, "posts_count": count} for tag, count in tags]
        )


class ExploreView(_BasePostView):
    """`/explore`: public posts of everybody."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read public posts of everybody",
        description="Of public accounts that have not opted out (`is_discoverable` of the profile), newest first;"
        " `trending`: one page of what is most liked and reposted now.",
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("sort", str, enum=["recent", "trending"])],
        responses=page_of(PostBody),
    )
    def get(self, request: Request) -> Response:
        """One page."""
        sort, page = request.query_params.get("sort", "recent"), page_request(request)
        if sort == "trending":
            return self.page_of_posts(request, Page(access.trending_posts(viewer_id=self.viewer, limit=page.limit)))
        if sort != "recent":
            raise Malformed("sort must be recent or trending", code="sort_invalid")
        return self.page_of_posts(request, access.explore_page(viewer_id=self.viewer, page=page))


class SeenPostsView(View):
    """`/posts/views`: posts that were seen in lists."""

    permission_classes = [Public]

    @extend_schema(
        summary="Report which posts were seen in lists",
        description="At most 100; your own and those you may not see are not counted.",
        request=ViewedPosts,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204."""
        ids = self.read_input(ViewedPosts)["ids"]
        posts = access.visible_refs(viewer_id=self.viewer, post_ids=list(dict.fromkeys(ids)))
        authors = {post.id: post.author_id for post in posts if post.author_id != self.viewer}
        if authors:
            reader = actions.reader_of(viewer_id=self.viewer, address=address_block(client_address(request)))
            actions.count_impressions(authors=authors, reader=reader)
        return Response(status=204)


class PostMuteView(_BasePostView):
    """`/posts/{id}/mute`: whether the caller wants no notifications about a post."""

    @extend_schema(
        summary="Mute a post",
        description="Stops notifications about its conversation.",
        request=None,
        responses=PostBody,
    )
    def put(self, request: Request, post_id: int) -> Response:
        """The post, muted."""
        post = access.visible_post(viewer_id=self.viewer, post_id=post_id)
        actions.mute_post(user_id=self.principal.id, post_id=post_id)
        return self.one_post(post)

    @extend_schema(summary="Unmute a post", responses={200: PostBody})
    def delete(self, request: Request, post_id: int) -> Response:
        """The post, no longer muted; 404 if it can no longer be seen, although the mute was removed."""
        actions.unmute_post(user_id=self.principal.id, post_id=post_id)
        return self.one_post(access.visible_post(viewer_id=self.viewer, post_id=post_id))


class BookmarksView(_BasePostView):
    """`/bookmarks`: the caller's bookmarks."""

    @extend_schema(
        summary="Read your bookmarks",
        description="The posts that you bookmarked and may still see, newest bookmark first.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PostBody),
    )
    def get(self, request: Request) -> Response:
        """One page."""
        return self.page_of_posts(request, access.bookmark_page(user_id=self.principal.id, page=page_request(request)))


class BookmarkView(_BasePostView):
    """`/posts/{id}/bookmark`: the caller's bookmark of a post."""

    @extend_schema(summary="Bookmark a post", request=None, responses=PostBody)
    def put(self, request: Request, post_id: int) -> Response:
        """The post, bookmarked."""
        post = access.visible_post(viewer_id=self.viewer, post_id=post_id)
        actions.add_bookmark(user_id=self.principal.id, post_id=post_id)
        return self.one_post(post.as_bookmarked())

    @extend_schema(summary="Remove a bookmark", responses={200: PostBody})
    def delete(self, request: Request, post_id: int) -> Response:
        """The post, no longer bookmarked; 404 if it can no longer be seen, although the bookmark was removed."""
        actions.remove_bookmark(user_id=self.principal.id, post_id=post_id)
        return self.one_post(access.visible_post(viewer_id=self.viewer, post_id=post_id))


class RepostView(_BasePostView):
    """`/posts/{id}/repost`: the caller's repost of a post."""

    @extend_schema(
        summary="Repost a post",
        description="Only public posts of public accounts; 403 for others that you can see.",
        request=None,
        responses=PostBody,
    )
    def put(self, request: Request, post_id: int) -> Response:
        """The post, reposted to the caller's followers."""
        post = access.repostable_post(viewer_id=self.principal.id, post_id=post_id)
        actions.add_repost(user_id=self.principal.id, post_id=post_id)
        return self.one_post(post.as_reposted())

    @extend_schema(summary="Undo a repost", responses={200: PostBody})
    def delete(self, request: Request, post_id: int) -> Response:
        """The post, no longer reposted; 404 if it can no longer be seen, although the repost was removed."""
        actions.remove_repost(user_id=self.principal.id, post_id=post_id)
        return self.one_post(access.visible_post(viewer_id=self.viewer, post_id=post_id))
