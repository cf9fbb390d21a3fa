"""Admin pages of comments: viewing, and removing through the context's own actions."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.comments import actions
from apps.comments.models import Comment, CommentCount, CommentMention, RemovedComment, RestoredRemoval
from socialapp.core.errors import Problem
from socialapp.http.admin import ContextModelAdmin, PersonColumn, act_link, remote_link

_post = remote_link("post_id", admin_url="admin:posts_post_change")
_author = PersonColumn("user_id", description="author")
_act = act_link("comment", field="id")


@admin.register(Comment)
class CommentAdmin(ContextModelAdmin[Comment]):
    """Comments, replies and tombstones."""

    list_display = ("id", _post, _author, "excerpt", "depth", "replies_count", "score", "edited", "deleted_at", _act)
    list_filter = ("edited", "depth", "created_at", ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=post_id", "=user_id", "content")
    ordering = ("-id",)
    actions = ("remove",)

    @admin.display(description="content")
    def excerpt(self, comment: Comment) -> str:
        """The beginning of the text."""
        return comment.content[:80]

    @admin.action(description="Remove the selected comments")
    def remove(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """Removes the comments as a moderator: logged, their authors notified, open to appeal."""
        for comment in queryset:
            if comment.user_id is None:
                continue  # a tombstone
            try:
                actions.remove_as_moderator(
                    moderator_id=int(request.user.pk or 0), comment_id=comment.id, author_id=comment.user_id
                )
            except Problem as problem:
                self.message_user(request, f"{comment}: {problem.detail}", messages.ERROR)


@admin.register(CommentMention)
class CommentMentionAdmin(ContextModelAdmin[CommentMention]):
    """Whom the names in comments meant when they were written."""

    is_internal = True
    list_display = ("comment_id", "username", PersonColumn("user_id"))
    search_fields = ("=comment_id", "=user_id")
    ordering = ("-id",)


@admin.register(RemovedComment)
class RemovedCommentAdmin(ContextModelAdmin[RemovedComment]):
    """Comments that moderators removed and may restore."""

    is_internal = True
    list_display = ("comment_id", _post, _author, "removed_at")
    list_filter = ("removed_at",)
    search_fields = ("=comment_id", "=post_id", "=user_id", "=action_id")
    ordering = ("-comment_id",)


@admin.register(RestoredRemoval)
class RestoredRemovalAdmin(ContextModelAdmin[RestoredRemoval]):
    """Removals that were reversed."""

    is_internal = True
    list_display = ("action_id", "restored_at")
    search_fields = ("=action_id",)
    ordering = ("-action_id",)


@admin.register(CommentCount)
class CommentCountAdmin(ContextModelAdmin[CommentCount]):
    """The number of comments on each post, in slots."""

    is_internal = True
    list_display = (_post, "slot", "count", "updated_at")
    search_fields = ("=post_id",)
    ordering = ("-id",)
