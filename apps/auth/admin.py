"""The admin pages of accounts. Roles and sessions are changed through actions; bans belong to moderation."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.auth import actions
from apps.auth.models import Erasure, ErasureAck, Export, Mail, RecoveryCode, Role, Session, TotpDevice, User, UserRole
from apps.auth.queries import limit_digest
from socialapp.core.errors import Problem
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.http.admin import ContextModelAdmin
from socialapp.http.admission import admit, client_address


class StaffLoginForm(AdminAuthenticationForm):
    """The log-in of the admin site: limited and with a second factor, like that of the API."""

    otp = forms.CharField(
        label="Code",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        help_text="Only if you use an authenticator app.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuses too many tries, wrong credentials, and a missing or wrong code."""
        try:
            self._admit()
            cleaned = super().clean()
            actions.demand_staff_code(user_id=self.get_user().pk, otp=cleaned.get("otp"))
        except Problem as problem:
            raise forms.ValidationError(problem.detail, code=problem.code) from None
        return cleaned

    def _admit(self) -> None:
        if self.request is not None:
            subject = limit_digest(str(self.cleaned_data.get("username", "")))
            admit(principal=None, address=client_address(self.request), rate="login", subject=subject)


admin.site.login_form = StaffLoginForm
admin.site.login_template = "admin/identity/login.html"


class _RoleInline(admin.TabularInline[UserRole, User]):
    model = UserRole
    extra = 0
    can_delete = False
    readonly_fields = ("role",)
    fields = ("role",)


@admin.register(User)
class UserAdmin(ContextModelAdmin[User]):
    """Accounts; the password hash is shown to nobody."""

    list_display = ("id", "username", "email", "email_verified", "status", "roles", "created_at")
    search_fields = ("=id", "username_key", "email_key")
    list_filter = ("status", "email_verified", "user_roles__role", "oauth_provider")
    exclude = ("password",)
    inlines = (_RoleInline,)
    actions = ("make_moderator", "unmake_moderator", "make_admin", "unmake_admin", "end_sessions")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        """With the roles fetched along."""
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

    list_display = ("id", "user", "role")
    list_select_related = ("user", "role")
    list_filter = ("role",)
    search_fields = ("user__username_key",)


@admin.register(Session)
class SessionAdmin(ContextModelAdmin[Session]):
    """Sign-ins."""

    list_display = ("id", "user", "user_agent", "address", "created_at", "last_used_at", "ended_at")
    list_select_related = ("user",)
    list_filter = ("ended_at",)
    search_fields = ("=id", "user__username_key", "address")
    exclude = ("token_digest",)


@admin.register(Mail)
class MailAdmin(ContextModelAdmin[Mail]):
    """Mails that wait to be sent."""

    list_display = ("id", "kind", "user", "address", "attempts", "due_at")
    list_select_related = ("user",)
    list_filter = ("kind",)
    search_fields = ("address",)


@admin.register(TotpDevice)
class TotpDeviceAdmin(ContextModelAdmin[TotpDevice]):
    """Who uses one-time passwords."""

    list_display = ("id", "user", "created_at", "confirmed_at")
    list_select_related = ("user",)
    list_filter = ("confirmed_at",)
    search_fields = ("user__username_key",)
    exclude = ("secret",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ContextModelAdmin[RecoveryCode]):
    """Recovery codes that are left."""

    list_display = ("id", "user", "created_at")
    list_select_related = ("user",)
    list_filter = ("created_at",)
    search_fields = ("user__username_key",)
    exclude = ("digest",)


class _AckInline(admin.TabularInline[ErasureAck, Erasure]):
    model = ErasureAck
    extra = 0
    can_delete = False
    readonly_fields = ("context", "erased_at")
    fields = ("context", "erased_at")


@admin.register(Erasure)
class ErasureAdmin(ContextModelAdmin[Erasure]):
    """Erasures and how far they have come."""

    list_display = ("id", "user_id", "requested_at", "asked_at", "completed_at")
    list_filter = ("completed_at",)
    search_fields = ("=id", "=user__id")
    inlines = (_AckInline,)


@admin.register(Export)
class ExportAdmin(ContextModelAdmin[Export]):
    """Archives that people have asked for; where they lie is shown to nobody."""

    list_display = ("id", "user", "status", "attempts", "requested_at", "expires_at")
    list_select_related = ("user",)
    list_filter = ("status",)
    search_fields = ("=id", "user__username_key")
    exclude = ("archive",)


@admin.register(ErasureAck)
class ErasureAckAdmin(ContextModelAdmin[ErasureAck]):
    """Which context has erased its part when."""

    list_display = ("id", "erasure_id", "context", "erased_at")
    list_filter = ("context",)
    search_fields = ("=erasure__id",)
