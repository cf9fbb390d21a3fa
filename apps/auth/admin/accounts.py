"""Admin pages of accounts, their roles and their queued mails. Bans belong to moderation."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.auth import actions
from apps.auth.models import (
    Mail,
    Role,
    User,
    UserRole,
)
from socialapp.core.errors import Problem
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.http.admin import ContextModelAdmin, act_link


class _RoleInline(admin.TabularInline[UserRole, User]):
    model = UserRole
    extra = 0
    can_delete = False
    readonly_fields = ("role",)
    fields = ("role",)


@admin.register(User)
class UserAdmin(ContextModelAdmin[User]):
    """Accounts; the password hash is never shown."""

    list_display = (
        "id",
        "username",
        "email",
        "email_verified",
        "status",
        "roles",
        "created_at",
        act_link("user", field="id"),
    )
    search_fields = ("=id", "username_key", "email_key")
    list_filter = ("status", "email_verified", "user_roles__role", "oauth_provider")
    exclude = ("password",)
    inlines = (_RoleInline,)
    actions = ("make_moderator", "unmake_moderator", "make_admin", "unmake_admin", "end_sessions")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        """With the roles prefetched."""
        return super().get_queryset(request).prefetch_related("user_roles__role")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        """The names of the account's roles."""
        return ", ".join(sorted(held.role.name for held in user.user_roles.all()))

    @admin.action(description="Make moderator")
    def make_moderator(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Grants the moderator role."""
        self._each(request, users, lambda user: actions.grant_role(user_id=user.id, role=MODERATOR), "made moderator")

    @admin.action(description="Take the moderator role")
    def unmake_moderator(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Revokes the moderator role."""
        self._each(request, users, lambda user: actions.revoke_role(user_id=user.id, role=MODERATOR), "no moderator")

    @admin.action(description="Make administrator")
    def make_admin(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Grants the admin role."""
        self._each(request, users, lambda user: actions.grant_role(user_id=user.id, role=ADMIN), "made administrator")

    @admin.action(description="Take the administrator role")
    def unmake_admin(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Revokes the admin role; never one's own, so that one administrator is left."""
        others = users.exclude(id=request.user.pk or 0)
        self._each(request, others, lambda user: actions.revoke_role(user_id=user.id, role=ADMIN), "no administrator")

    @admin.action(description="End all sessions")
    def end_sessions(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        """Signs the accounts out everywhere."""
        self._each(request, users, lambda user: actions.end_sessions_of(user_id=user.id), "signed out everywhere")

    def _each(self, request: HttpRequest, users: "QuerySet[User]", act: Callable[[User], None], what: str) -> None:
        for user in users:
            try:
                act(user)
            except Problem as problem:
                self.message_user(request, f"{user.username}: {problem.detail}", messages.ERROR)
            else:
                self.log_change(request, user, what)


@admin.register(Role)
class RoleAdmin(ContextModelAdmin[Role]):
    """The roles there are."""

    list_display = ("id", "name")
    search_fields = ("name",)


@admin.register(UserRole)
class UserRoleAdmin(ContextModelAdmin[UserRole]):
    """Who has which role."""

    is_internal = True
    list_display = ("id", "user", "role")
    list_select_related = ("user", "role")
    list_filter = ("role",)
    search_fields = ("user__username_key",)


@admin.register(Mail)
class MailAdmin(ContextModelAdmin[Mail]):
    """Mails that are queued; their details may contain codes."""

    is_internal = True
    exclude = ("details",)

    list_display = ("id", "kind", "user", "address", "attempts", "due_at")
    list_select_related = ("user",)
    list_filter = ("kind",)
    search_fields = ("address",)
