"""Admin pages of teamwork: proposals that a second administrator confirms, and bulk decisions."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.moderation import actions
from apps.moderation.admin.deciding import ModerationAdmin, run_on_each
from apps.moderation.models import BulkDecision, Proposal
from socialapp.http.admin import PersonColumn, is_admin


@admin.register(Proposal)
class ProposalAdmin(ModerationAdmin[Proposal]):
    """Decisions about administrators; another administrator confirms or withdraws them."""

    list_display = (
        "created_at",
        "decision",
        "target_type",
        PersonColumn("author_id", description="about"),
        "reason",
        "days",
        "outcome",
    )
    list_filter = ("outcome",)
    search_fields = ("=author_id", "reason")
    ordering = ("-id",)
    actions = ("confirm", "withdraw")

    def is_allowed(self, request: HttpRequest) -> bool:
        """Only administrators."""
        return is_admin(request)

    @admin.action(description="Confirm and execute", permissions=["decide"])
    def confirm(self, request: HttpRequest, rows: QuerySet[Proposal]) -> None:
        """Executes the chosen proposals."""
        run_on_each(request, rows, "Confirmed", _confirm)

    @admin.action(description="Withdraw", permissions=["decide"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[Proposal]) -> None:
        """Withdraws the chosen proposals."""
        run_on_each(request, rows, "Withdrawn", _withdraw)


def _confirm(proposal: Proposal, moderator_id: int, reason: str) -> None:
    actions.confirm_proposal(proposal_id=proposal.id, moderator_id=moderator_id)


def _withdraw(proposal: Proposal, moderator_id: int, reason: str) -> None:
    actions.withdraw_proposal(proposal_id=proposal.id, moderator_id=moderator_id)


@admin.register(BulkDecision)
class BulkDecisionAdmin(ModerationAdmin[BulkDecision]):
    """Bulk decisions and their progress."""

    list_display = ("created_at", "decision", "reason", "progress", "failed", "finished_at")
    search_fields = ("reason",)
    ordering = ("-id",)
    exclude = ("case_ids",)

    @admin.display(description="progress")
    def progress(self, bulk: BulkDecision) -> str:
        """How many of the cases were processed."""
        return f"{bulk.done} of {bulk.total}"
