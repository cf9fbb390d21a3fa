"""Admin pages of the log of decisions, and of appeals."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from apps.moderation import access, actions, queries
from apps.moderation.admin.deciding import (
    ModerationAdmin,
    ReasonForm,
    TargetList,
    reason_in,
    run_on_each,
    target_link,
)
from apps.moderation.models import Action, Appeal, CaseNote, LogHead, SignedHead, Suspension
from socialapp.http.admin import ContextModelAdmin, PeopleList, PersonColumn


class AppealList(PeopleList):
    """A page of appeals, with the posts and comments that they are about."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows, with people and texts."""
        super().get_results(request)
        access.show_contents(self.result_list)


def _decider(entry: Action) -> str:
    """Who decided without being a moderator: besides rules, operators and the ends of suspensions."""
    return "a rule" if queries.is_automated(entry) else "–"


@admin.register(Action)
class ActionAdmin(ModerationAdmin[Action]):
    """The log of decisions, which can be read, and decisions lifted."""

    list_display = (
        "sequence",
        "created_at",
        "kind",
        PersonColumn("moderator_id", nobody=_decider),
        PersonColumn("user_id"),
        target_link,
        "reason",
        "until",
    )
    list_filter = ("kind", "is_redacted")
    search_fields = ("=user_id", "=moderator_id", "=target_id", "reason")
    ordering = ("-sequence",)
    action_form = ReasonForm
    actions = ("take_back",)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The change list that fills in people and texts."""
        return TargetList

    @admin.action(description="Lift (undo the decision)", permissions=["decide"])
    def take_back(self, request: HttpRequest, rows: QuerySet[Action]) -> None:
        """Lifts the chosen decisions."""
        run_on_each(request, rows, "Lifted", _take_back)


def _take_back(entry: Action, moderator_id: int, reason: str) -> None:
    actions.lift_action(moderator_id=moderator_id, action_id=entry.id, reason=reason)


@admin.register(Appeal)
class AppealAdmin(ModerationAdmin[Appeal]):
    """Appeals; the answer is sent to the person."""

    list_display = ("created_at", PersonColumn("user_id"), "against", "content", "text", "status", "answer")
    list_filter = ("status",)
    list_select_related = ("action",)
    search_fields = ("=user_id", "text")
    ordering = ("status", "id")
    action_form = ReasonForm
    actions = ("accept", "reject")
    fields = ("against", "content", "text", "status", "answer", "created_at", "decided_at")
    readonly_fields = fields
    change_form_template = "admin/moderation/appeal/change_form.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Appeal | None:
        """One appeal, with the name and the post or comment that it is about."""
        appeal = super().get_object(request, object_id, from_field)
        if appeal is not None:
            access.show_names([appeal])
            access.show_contents([appeal])
        return appeal

    def get_urls(self) -> list[URLPattern]:
        """The pages, and the URLs for answers."""
        answer = path(
            "<id:appeal_id>/answer/", self.admin_site.admin_view(self.answer), name="moderation_appeal_answer"
        )
        return [answer, *super().get_urls()]

    def answer(self, request: HttpRequest, appeal_id: int) -> HttpResponse:
        """Executes the answer given on an appeal's page."""
        return require_POST(self._take_answer)(request, appeal_id)

    def _take_answer(self, request: HttpRequest, appeal_id: int) -> HttpResponse:
        outcome = request.POST.get("outcome")
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        if outcome not in ("accept", "reject"):
            return HttpResponse(status=400)
        rows = Appeal.objects.filter(id=appeal_id)
        is_accepted = outcome == "accept"
        run_on_each(request, rows, "Answered", lambda row, by, why: _answer(request, row, by, is_accepted=is_accepted))
        return HttpResponseRedirect(reverse("admin:moderation_appeal_change", args=[appeal_id]))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The change list that fills in names, posts and comments."""
        return AppealList

    @admin.display(description="against")
    def against(self, appeal: Appeal) -> str:
        """The action, and its reason."""
        return f"{appeal.action.kind}: {appeal.action.reason}"

    @admin.display(description="content")
    def content(self, appeal: Appeal) -> str:
        """The post or comment that the appeal is about."""
        return appeal.content or "–"

    @admin.action(description="Accept (reverses the decision)", permissions=["decide"])
    def accept(self, request: HttpRequest, rows: QuerySet[Appeal]) -> None:
        """Accepts the appeals."""
        run_on_each(request, rows, "Accepted", lambda row, by, why: _answer(request, row, by, is_accepted=True))

    @admin.action(description="Reject", permissions=["decide"])
    def reject(self, request: HttpRequest, rows: QuerySet[Appeal]) -> None:
        """Rejects the appeals."""
        run_on_each(request, rows, "Rejected", lambda row, by, why: _answer(request, row, by, is_accepted=False))


def _answer(request: HttpRequest, appeal: Appeal, moderator_id: int, *, is_accepted: bool) -> None:
    answer = reason_in(request)
    actions.decide_appeal(moderator_id=moderator_id, appeal_id=appeal.id, is_accepted=is_accepted, answer=answer)


@admin.register(LogHead)
class LogHeadAdmin(ContextModelAdmin[LogHead]):
    """The head of the log of decisions."""

    is_internal = True
    list_display = ("sequence", "hash")
    list_filter = ()
    search_fields = ("hash",)


@admin.register(SignedHead)
class SignedHeadAdmin(ContextModelAdmin[SignedHead]):
    """Signed heads of the log."""

    is_internal = True
    list_display = ("sequence", "hash", "signed_at")
    search_fields = ("=sequence", "hash")
    ordering = ("-sequence",)


@admin.register(Suspension)
class SuspensionAdmin(ModerationAdmin[Suspension]):
    """Bans, silences and limits with an end."""

    list_display = (PersonColumn("user_id"), "kind", "until", "action_id")
    list_display_links = ("kind",)
    list_filter = ("kind",)
    search_fields = ("=user_id", "=action_id")
    ordering = ("until",)


@admin.register(CaseNote)
class CaseNoteAdmin(ModerationAdmin[CaseNote]):
    """Moderators' notes on cases."""

    is_internal = True
    list_display = ("created_at", "case", PersonColumn("moderator_id"), "text")
    search_fields = ("text", "=moderator_id")
    ordering = ("-id",)
