"""Admin pages of cases and their reports."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST

from apps.moderation import access, actions, queries
from apps.moderation.admin.choices import (
    DECIDED,
    LONGEST_REASON,
    DecisionForm,
    act_of,
    bulk,
    carry_out_or_propose,
    choices_for,
    decide,
)
from apps.moderation.admin.deciding import (
    ModerationAdmin,
    ReasonForm,
    TargetList,
    reason_in,
    run_on_each,
    target_link,
)
from apps.moderation.models import Case, Reason, Report
from apps.moderation.queries import ReporterRecord, Target
from socialapp.contracts.users import ProfileSummary
from socialapp.core.errors import Problem
from socialapp.core.text.language import LANGUAGES
from socialapp.http.admin import PeopleList, PersonColumn, link_to, person_link
from socialapp.rpc.people import profile_summaries

_PREVIEW_CHARACTERS = 160


class AssignmentFilter(admin.SimpleListFilter):
    """Filters by the assigned moderator."""

    title = "taken by"
    parameter_name = "taken"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("me", "Me"), ("nobody", "Nobody"), ("others", "Others")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """The cases of the chosen moderator."""
        me = request.user.pk
        match self.value():
            case "me":
                return queryset.filter(assigned_to_id=me)
            case "nobody":
                return queryset.filter(assigned_to_id=None)
            case "others":
                return queryset.exclude(assigned_to_id=None).exclude(assigned_to_id=me)
            case _:
                return queryset


class AgeFilter(admin.SimpleListFilter):
    """Filters by age."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("1", "More than a day"), ("7", "More than a week")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """The older cases."""
        value = self.value()
        if value not in ("1", "7"):
            return queryset
        return queryset.filter(created_at__lt=timezone.now() - timedelta(days=int(value)))


class CaseStateFilter(admin.SimpleListFilter):
    """Filters by state, with open cases as the default: the list is a queue."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Any:
        """The choices, the default first and under its own name."""
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


class ReasonFilter(admin.SimpleListFilter):
    """Filters by the reason of reports."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [(value, str(label)) for value, label in Reason.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """The cases with a report for that reason."""
        if self.value() not in Reason.values:
            return queryset
        reported = Report.objects.filter(reason=self.value(), case_id=OuterRef("id"))
        return queryset.filter(Exists(reported))


class LanguageFilter(admin.SimpleListFilter):
    """Filters by the detected language."""

    title = "language"
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The languages of open cases, and an unknown one."""
        used = set(Case.objects.filter(closed_at=None).values_list("language", flat=True).distinct())
        return [*((code, name) for code, name in LANGUAGES.items() if code in used), ("unknown", "Unknown")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """The cases in that language."""
        value = self.value()
        return queryset if value is None else queryset.filter(language="" if value == "unknown" else value)


def _shown(case: Case, *, has_case: bool = True) -> dict[str, Any]:
    """The parts of a case's page beside the case itself."""
    history = access.history_of(case.author_id)
    around = access.case_context_of(case, history=history)
    people = profile_summaries([case.author_id, case.assigned_to_id])
    return {
        "author": _person(case.author_id, people=people),
        "holder": _person(case.assigned_to_id, people=people),
        "choices": choices_for(case.target_type, figures=around.figures, has_case=has_case),
        "shown_media": access.media_of_target(target_type=case.target_type, target_id=case.target_id or 0),
        "history": history,
        "around": around,
        "rules": queries.present_rules(),
        "templates": queries.reason_templates(),
        "default_reason": actions.DEFAULT_REASON,
        "longest_reason": LONGEST_REASON,
    }


def _person(user_id: int | None, *, people: dict[int, ProfileSummary]) -> SafeString | str:
    return person_link(user_id, person=people.get(user_id)) if user_id is not None else ""


def _record_of(record: ReporterRecord | None) -> str:
    """The outcomes of somebody's reports, in words."""
    if record is None or not record.decided:
        return "none decided"
    confirmed = record.decided - record.dismissed
    weight = access.weight_of(dismissed=record.dismissed, decided=record.decided)
    return f"{confirmed} confirmed, {record.dismissed} dismissed; weight {weight:g}"


class CaseList(PeopleList):
    """A page of cases with previews of their targets, fetched once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's cases, with their previews."""
        super().get_results(request)
        access.show_targets(self.result_list)


@admin.register(Case)
class CaseAdmin(ModerationAdmin[Case]):
    """The queue: the most reported first."""

    list_display = (
        "content",
        PersonColumn("author_id", nobody="(erased)"),
        "reasons",
        "weight",
        "waiting",
        PersonColumn("assigned_to_id", description="taken by"),
        "state",
    )
    list_filter = (CaseStateFilter, AssignmentFilter, AgeFilter, LanguageFilter, "target_type", ReasonFilter, "outcome")
    search_fields = ("=target_id", "=author_id", "=id")
    ordering = ("-score", "-reports_count", "id")
    list_per_page = 25
    action_form = ReasonForm
    actions = ("remove_selected", "warn_selected", "ban_selected", "dismiss_selected")
    fields = ("reports_table",)
    readonly_fields = fields
    change_form_template = "admin/moderation/case/change_form.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The change list that fills in previews."""
        return CaseList

    def get_urls(self) -> list[URLPattern]:
        """The pages, and the URLs for decisions on one case."""
        wrap = self.admin_site.admin_view
        own = [
            path("next/", wrap(self.take_next), name="moderation_case_next"),
            path("<id:case_id>/decide/", wrap(self.decide), name="moderation_case_decide"),
            path("about/<str:target_type>/<id:target_id>/", wrap(self.about), name="moderation_case_about"),
            path("<id:case_id>/<str:step>/", wrap(self.handle_step), name="moderation_case_step"),
        ]
        listed = super().get_urls()
        return [*own[:3], *listed[:-1], own[3], listed[-1]]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Case | None:
        """One case, with its preview."""
        case = super().get_object(request, object_id, from_field)
        if case is not None:
            access.show_targets([case])
        return case

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everything about a case on one page."""
        case = Case.objects.filter(id=object_id).first() if self.can_be_key(object_id) else None
        extra = dict(extra_context or {})
        if case is not None and self.has_view_permission(request):
            extra |= {**_shown(case), "notes": access.notes_of(case)}
        return super().change_view(request, object_id, form_url, extra)

    def take_next(self, request: HttpRequest) -> HttpResponse:
        """Assigns the next unassigned case to the moderator."""
        return require_POST(self._take_next)(request)

    def _take_next(self, request: HttpRequest) -> HttpResponse:
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        case = actions.take_next_case(moderator_id=int(request.user.pk or 0))
        if case is None:
            messages.info(request, "There are no unassigned cases.")
            return HttpResponseRedirect(reverse("admin:moderation_case_changelist"))
        return HttpResponseRedirect(reverse("admin:moderation_case_change", args=[case.id]))

    def handle_step(self, request: HttpRequest, case_id: int, step: str) -> HttpResponse:
        """Assigns, releases or reopens a case, adds a note to it, or refuses its media."""
        return require_POST(self._handle_step)(request, case_id, step)

    def _handle_step(self, request: HttpRequest, case_id: int, step: str) -> HttpResponse:
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        me = int(request.user.pk or 0)
        try:
            match step:
                case "take":
                    actions.assign_case(case_id=case_id, moderator_id=me)
                case "release":
                    actions.assign_case(case_id=case_id, moderator_id=None)
                case "reopen":
                    actions.reopen_case(case_id=case_id, moderator_id=me)
                case "note":
                    actions.add_note(case_id=case_id, moderator_id=me, text=request.POST.get("text", "")[:2000])
                case "refuse":
                    case = get_object_or_404(Case, id=case_id)
                    actions.refuse_media(
                        case=case,
                        moderator_id=me,
                        media_id=request.POST.get("media_id", ""),
                        reason=actions.DEFAULT_REASON,
                    )
                case _:
                    return HttpResponse(status=404)
        except Problem as problem:
            messages.error(request, problem.detail)
        return HttpResponseRedirect(reverse("admin:moderation_case_change", args=[case_id]))

    def decide(self, request: HttpRequest, case_id: int) -> HttpResponse:
        """Executes the decision made on a case's page; one that is refused leads back to it."""
        return require_POST(self._take_decision)(request, case_id)

    def _take_decision(self, request: HttpRequest, case_id: int) -> HttpResponse:
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        case = get_object_or_404(Case, id=case_id)
        decision = request.POST.get("decision", "")
        rows = Case.objects.filter(id=case.id)
        form = DecisionForm(request.POST)
        told = [DECIDED]

        def run(row: Case, by: int, why: str) -> None:
            told[0] = decide(row, decision, moderator_id=by, form=form)

        if not run_on_each(request, rows, lambda: told[0], run):
            return HttpResponseRedirect(reverse("admin:moderation_case_change", args=[case_id]))
        return HttpResponseRedirect(reverse("admin:moderation_case_changelist"))

    def about(self, request: HttpRequest, target_type: str, target_id: int) -> HttpResponse:
        """Any person, post or comment, without a report: its content, and every decision; POST executes one."""
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        target = access.target_of_staff(target_type=target_type, target_id=target_id)
        if target is None:
            return HttpResponse(status=404)
        if request.method == "POST":
            return self._decide_about(request, target)
        case = Case(target_type=target.type, target_id=target.id, author_id=target.author_id)
        access.show_targets([case])
        page = {
            **self.admin_site.each_context(request),
            "title": str(case),
            "original": case,
            "opts": self.opts,
            "media": self.media,
            "is_unreported": True,
            **_shown(case, has_case=False),
        }
        return TemplateResponse(request, "admin/moderation/case/change_form.html", page)

    def _decide_about(self, request: HttpRequest, target: Target) -> HttpResponse:
        form, me = DecisionForm(request.POST), int(request.user.pk or 0)
        try:
            act = act_of(form, request.POST.get("decision", ""), target=target, moderator_id=me)
            messages.success(request, carry_out_or_propose(act))
        except Problem as problem:
            messages.error(request, problem.detail)
        return HttpResponseRedirect(request.path)

    @admin.display(description="weight", ordering="score")
    def weight(self, case: Case) -> str:
        """Its reports, weighted by their reporters' records."""
        return f"{case.score:g}"

    @admin.display(description="about", ordering="target_type")
    def content(self, case: Case) -> SafeString:
        """The kind of target and the beginning of its text; links to the case."""
        beginning = Truncator(case.preview).chars(_PREVIEW_CHARACTERS) or "(no text)"
        kind = case.get_target_type_display()
        return format_html(
            '<span class="case-content" dir="auto"><span class="target-kind">{}</span>{}</span>', kind, beginning
        )

    @admin.display(description="waiting", ordering="-id")
    def waiting(self, case: Case) -> str:
        """How long it has been open, or was."""
        return timesince(case.created_at, case.closed_at, depth=1)

    @admin.display(description="why", ordering="reports_count")
    def reasons(self, case: Case) -> str:
        """The numbers of reports by reason, and the matched words."""
        words = f"words: {case.flagged_words}" if case.flagged_words else ""
        return ", ".join(filter(None, (case.reasons, words))) or "–"

    @admin.display(description="state", ordering="closed_at")
    def state(self, case: Case) -> str:
        """Whether it is open, or how it was decided."""
        return "open" if case.is_open else case.outcome

    @admin.display(description="what was reported")
    def reports_table(self, case: Case) -> SafeString | str:
        """Each report, and the outcomes of its reporter's others; not the reporter, so that no moderator takes
        sides."""
        reports = list(queries.reports_of(case)[:100])
        records = queries.records_of(report.reporter_id for report in reports if report.reporter_id is not None)
        rows = [
            (
                report.created_at.strftime("%Y-%m-%d %H:%M"),
                report.get_reason_display(),
                report.details,
                _record_of(records.get(report.reporter_id or 0)),
            )
            for report in reports
        ]
        if not rows:
            return "no reports: a word rule opened this case"
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        heads = ("When (UTC)", "Reason", "Details", "Reporter’s other reports, 90 days")
        head = format_html("<tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr>", *heads)
        return format_html("<table><thead>{}</thead><tbody>{}</tbody></table>", head, body)

    def _decide_many(self, request: HttpRequest, rows: QuerySet[Case], done: str, decision: str) -> None:
        """Decides a few cases at once, and more in a task with progress."""
        ids = list(rows.values_list("id", flat=True))
        if len(ids) <= actions.MOST_AT_ONCE:
            run_on_each(request, rows, done, bulk(decision))
            return
        reason = reason_in(request) or actions.default_reason(decision)
        me = int(request.user.pk or 0)
        actions.start_bulk_decision(decision=decision, case_ids=ids, moderator_id=me, reason=reason)
        progress = reverse("admin:moderation_bulkdecision_changelist")
        messages.success(
            request, format_html('{} cases are being decided: <a href="{}">progress</a>', len(ids), progress)
        )

    @admin.action(description="Remove the content", permissions=["decide"])
    def remove_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Removes the targets of the cases."""
        self._decide_many(request, rows, "Removed", "remove")

    @admin.action(description="Warn the author", permissions=["decide"])
    def warn_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Warns the authors."""
        self._decide_many(request, rows, "Warned", "warn")

    @admin.action(description="Ban the author", permissions=["decide"])
    def ban_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Bans the authors."""
        self._decide_many(request, rows, "Banned", "ban")

    @admin.action(description="Dismiss: nothing is wrong", permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Closes the cases."""
        self._decide_many(request, rows, "Dismissed", "dismiss")


@admin.register(Report)
class ReportAdmin(ModerationAdmin[Report]):
    """Every report; decisions are made on cases. Reporters stay anonymous."""

    list_display = ("created_at", target_link, "reason", "details", "outcome", "decided_in")
    list_filter = ("target_type", "reason", "outcome")
    list_select_related = ("case",)
    search_fields = ("=target_id", "details")
    exclude = ("reporter_id", "open_key")
    ordering = ("-id",)
    change_list_template = "admin/moderation/report/change_list.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The change list that fills in texts."""
        return TargetList

    @admin.display(description="case", ordering="case_id")
    def decided_in(self, report: Report) -> SafeString | str:
        """The case of the report."""
        return link_to("admin:moderation_case_change", object_id=report.case_id, text="its case")

    def get_urls(self) -> list[URLPattern]:
        """The pages, and the one about unfounded reports."""
        own = path("reporters/", self.admin_site.admin_view(self.reporters), name="moderation_report_reporters")
        return [own, *super().get_urls()]

    def reporters(self, request: HttpRequest) -> HttpResponse:
        """People whose reports are repeatedly unfounded; which reports are theirs stays hidden."""
        if not self.is_allowed(request):
            return HttpResponse(status=403)
        page = {
            **self.admin_site.each_context(request),
            "title": "Unfounded reports",
            "opts": self.opts,
            "media": self.media,
            "reporters": access.groundless_reporters(),
        }
        return TemplateResponse(request, "admin/moderation/report/reporters.html", page)
