"""The queue of cases, and the reports that they collect."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST

from apps.moderation import actions, queries
from apps.moderation.admin.deciding import ModerationAdmin, ReasonForm, person_link, run_on_each
from apps.moderation.models import Case, Report
from socialapp.core.errors import Problem

_PREVIEW_CHARACTERS = 160


def _decide(case: Case, decision: str, *, moderator_id: int, reason: str) -> None:
    """Carries out what a moderator chose; raises a Problem when it cannot be done."""
    if decision == "dismiss":
        actions.dismiss_case(moderator_id=moderator_id, case_id=case.id, reason=reason)
        return
    if case.author_id is None or case.target_id is None:
        raise Problem("the person it is about was erased")
    match decision:
        case "remove":
            target = queries.Target(case.target_type, case.target_id, case.author_id)
            actions.remove_content(moderator_id=moderator_id, target=target, reason=reason)
        case "warn":
            actions.warn_user(moderator_id=moderator_id, user_id=case.author_id, reason=reason, case_id=case.id)
        case "ban":
            actions.ban_user(moderator_id=moderator_id, user_id=case.author_id, reason=reason, case_id=case.id)
        case _:
            raise Problem("there is no such decision")


class CaseStateFilter(admin.SimpleListFilter):
    """Open cases unless asked otherwise: the list is a queue."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What may be chosen."""
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Any:
        """What may be chosen, the default first and under its own name."""
        choices = list(super().choices(changelist))
        choices[0]["display"] = "Open"
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """The cases in the chosen state."""
        match self.value():
            case "all":
                return queryset
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case _:
                return queryset.filter(closed_at__isnull=True)


class CaseList(ChangeList):
    """A page of cases with what their targets look like, asked for once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's cases, with their previews."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        queries.show_targets(self.result_list)


@admin.register(Case)
class CaseAdmin(ModerationAdmin[Case]):
    """The queue: the most reported first."""

    list_display = ("about", "content", "author", "reasons", "waiting", "state")
    list_filter = (CaseStateFilter, "target_type", "outcome")
    search_fields = ("=target_id", "=author_id", "=id")
    ordering = ("-reports_count", "id")
    list_per_page = 25
    action_form = ReasonForm
    actions = ("remove_selected", "warn_selected", "ban_selected", "dismiss_selected")
    fields = ("target", "content_in_full", "author", "reasons", "created_at", "state", "reports_table")
    readonly_fields = fields
    change_form_template = "admin/moderation/case/change_form.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The list that fills in previews."""
        return CaseList

    def get_urls(self) -> list[URLPattern]:
        """The pages, and where decisions on one case are sent."""
        decide = path("<int:case_id>/decide/", self.admin_site.admin_view(self.decide), name="moderation_case_decide")
        return [decide, *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Case | None:
        """One case, with its preview."""
        case = super().get_object(request, object_id, from_field)
        if case is not None:
            queries.show_targets([case])
        return case

    def decide(self, request: HttpRequest, case_id: int) -> HttpResponse:
        """Takes the decision that was made on a case's page."""
        return require_POST(self._take_decision)(request, case_id)

    def _take_decision(self, request: HttpRequest, case_id: int) -> HttpResponse:
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        case = get_object_or_404(Case, id=case_id)
        decision = request.POST.get("decision", "")
        rows = Case.objects.filter(id=case.id)
        run_on_each(request, rows, "Decided", lambda row, by, why: _decide(row, decision, moderator_id=by, reason=why))
        return HttpResponseRedirect(reverse("admin:moderation_case_changelist"))

    @admin.display(description="about", ordering="target_type")
    def about(self, case: Case) -> str:
        """What kind of thing it is about; links to the case."""
        return case.get_target_type_display()

    @admin.display(description="target")
    def target(self, case: Case) -> str:
        """What it is about."""
        return str(case)

    @admin.display(description="content")
    def content(self, case: Case) -> SafeString:
        """The beginning of the text."""
        beginning = Truncator(case.preview).chars(_PREVIEW_CHARACTERS) or "(nothing to show)"
        return format_html('<div class="case-content">{}</div>', beginning)

    @admin.display(description="content")
    def content_in_full(self, case: Case) -> SafeString | str:
        """The whole text."""
        if not case.preview:
            return "(nothing to show)"
        return format_html('<div class="case-content-in-full">{}</div>', case.preview)

    @admin.display(description="author", ordering="author_id")
    def author(self, case: Case) -> SafeString | str:
        """Who answers for it."""
        return person_link(case.author_id, case.author_name) if case.author_id is not None else "(erased)"

    @admin.display(description="waiting", ordering="-id")
    def waiting(self, case: Case) -> str:
        """For how long it has been open, or was."""
        return timesince(case.created_at, case.closed_at, depth=1)

    @admin.display(description="why", ordering="reports_count")
    def reasons(self, case: Case) -> str:
        """How many reports for which reasons, and which words were found."""
        words = f"words: {case.flagged_words}" if case.flagged_words else ""
        return ", ".join(filter(None, (case.reasons, words))) or "–"

    @admin.display(description="state", ordering="closed_at")
    def state(self, case: Case) -> str:
        """Whether it is open, or how it was decided."""
        return "open" if case.is_open else case.outcome

    @admin.display(description="what was reported")
    def reports_table(self, case: Case) -> SafeString | str:
        """Each report; who made it is not shown, so that no moderator can take sides."""
        rows = [
            (report.created_at.strftime("%Y-%m-%d %H:%M"), report.get_reason_display(), report.details)
            for report in queries.reports_of(case)[:100]
        ]
        if not rows:
            return "no reports: a word rule opened this case"
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        head = format_html("<tr><th>{}</th><th>{}</th><th>{}</th></tr>", "When (UTC)", "Reason", "Details")
        return format_html("<table><thead>{}</thead><tbody>{}</tbody></table>", head, body)

    @admin.action(description="Remove the content", permissions=["decide"])
    def remove_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Removes what the cases are about."""
        run_on_each(request, rows, "Removed", lambda row, by, why: _decide(row, "remove", moderator_id=by, reason=why))

    @admin.action(description="Warn the author", permissions=["decide"])
    def warn_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Warns those who answer for it."""
        run_on_each(request, rows, "Warned", lambda row, by, why: _decide(row, "warn", moderator_id=by, reason=why))

    @admin.action(description="Ban the author", permissions=["decide"])
    def ban_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Bans those who answer for it."""
        run_on_each(request, rows, "Banned", lambda row, by, why: _decide(row, "ban", moderator_id=by, reason=why))

    @admin.action(description="Dismiss: nothing is wrong", permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Closes the cases."""
        run_on_each(
            request, rows, "Dismissed", lambda row, by, why: _decide(row, "dismiss", moderator_id=by, reason=why)
        )


@admin.register(Report)
class ReportAdmin(ModerationAdmin[Report]):
    """Every report; decisions are made on cases. Who reported stays unsaid."""

    list_display = ("created_at", "target_type", "target_id", "reason", "details", "outcome", "case")
    list_filter = ("target_type", "reason", "outcome")
    list_select_related = ("case",)
    search_fields = ("=target_id", "details")
    exclude = ("reporter_id", "open_key")
    ordering = ("-id",)
