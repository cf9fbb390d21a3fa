"""Admin pages of reactions: viewing, and removing through the context's own actions."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.reactions import actions
from apps.reactions.models import Reaction, ReactionCount
from socialapp.http.admin import ContextModelAdmin, PersonColumn, remote_link

_user = PersonColumn("user_id")
_post = remote_link("post_id", admin_url="admin:posts_post_change")
_comment = remote_link("comment_id", admin_url="admin:comments_comment_change")


@admin.register(Reaction)
class ReactionAdmin(ContextModelAdmin[Reaction]):
    """Who reacted to what."""

    list_display = ("id", _user, "reaction_type", _post, _comment, "created_at")
    list_filter = ("reaction_type", "created_at")
    search_fields = ("=id", "=user_id", "=post_id", "=comment_id")
    ordering = ("-id",)
    actions = ("remove_reactions",)

    @admin.action(description="Remove the selected reactions")
    def remove_reactions(self, request: HttpRequest, queryset: QuerySet[Reaction]) -> None:
        """Removes the reactions, as their owners could."""
        for reaction in queryset:
            actions.remove_reaction(
                user_id=reaction.user_id, target_type=reaction.target_type, target_id=reaction.target_id
            )
            self.log_change(request, reaction, "Removed the reaction.")
        self.message_user(request, "The reactions were removed.")


@admin.register(ReactionCount)
class ReactionCountAdmin(ContextModelAdmin[ReactionCount]):
    """The number of reactions to each target, in slots."""

    is_internal = True
    list_display = ("target_type", "target_id", "reaction_type", "slot", "count", "updated_at")
    list_filter = ("target_type", "reaction_type")
    search_fields = ("=target_id",)
    ordering = ("-id",)
