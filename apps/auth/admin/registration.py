"""Admin pages of registration: reserved names, invites and applications."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.auth import actions
from apps.auth.models import (
    Application,
    Invite,
    ReservedName,
)
from socialapp.core.errors import Problem
from socialapp.http.admin import ContextModelAdmin


@admin.register(ReservedName)
class ReservedNameAdmin(ContextModelAdmin[ReservedName]):
    """Reserved usernames; of deleted accounts, only digests."""

    list_display = ("id", "user", "until")
    list_select_related = ("user",)
    list_filter = ("until",)
    search_fields = ("user__username_key",)


@admin.register(Invite)
class InviteAdmin(ContextModelAdmin[Invite]):
    """Invitations; made with `manage.py invites`."""

    list_display = ("id", "note", "uses_left", "created_at", "expires_at")
    list_filter = ("expires_at",)
    search_fields = ("note",)
    exclude = ("digest",)


@admin.register(Application)
class ApplicationAdmin(ContextModelAdmin[Application]):
    """Why people want to join; approved and rejected here."""

    list_display = ("id", "user", "text", "outcome", "created_at", "decided_at")
    list_select_related = ("user",)
    list_filter = ("outcome",)
    search_fields = ("user__username_key",)
    actions = ("approve", "reject")

    @admin.action(description="Approve")
    def approve(self, request: HttpRequest, applications: "QuerySet[Application]") -> None:
        """Approves the applications."""
        self._each(request, applications, lambda row: actions.approve_application(application_id=row.id), "approved")

    @admin.action(description="Reject, and erase the account")
    def reject(self, request: HttpRequest, applications: "QuerySet[Application]") -> None:
        """Rejects the applications, erasing the accounts."""
        self._each(request, applications, lambda row: actions.reject_application(application_id=row.id), "rejected")

    def _each(
        self, request: HttpRequest, rows: "QuerySet[Application]", act: Callable[[Application], None], what: str
    ) -> None:
        for row in rows:
            try:
                act(row)
            except Problem as problem:
                self.message_user(request, f"{row.user_id}: {problem.detail}", messages.ERROR)
            else:
                self.log_change(request, row, what)
