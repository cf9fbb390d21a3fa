"""Where moderators work: the queue of cases, appeals, word rules, and the log of what was done."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST

from apps.moderation import actions, queries
from apps.moderation.models import Action, Appeal, Case, ErasedUser, LogHead, Report, WordRule
from socialapp.admin import ContextModelAdmin, M, is_staff
from socialapp.db import again_after_deadlock
from socialapp.errors import Invalid, Problem

_DEFAULT_REASON = "It breaks the rules."
_PREVIEW_CHARACTERS = 160
_LONGEST_REASON = 1000


class ModerationAdmin(ContextModelAdmin[M]):
    """Pages that moderators see as well as administrators."""

    class Media:
        css = {"all": ("moderation.css",)}

    def is_allowed(self, request: HttpRequest) -> bool:
        """Administrators and moderators."""
        return is_staff(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions of these pages."""
        return self.is_allowed(request)


class ReasonForm(ActionForm):
    """Asks, beside the chosen action, for the reason that the person concerned is told."""

    reason = forms.CharField(
        required=False,
        max_length=_LONGEST_REASON,
        label="Reason (told to the person):",
        widget=forms.TextInput(attrs={"size": 40, "placeholder": _DEFAULT_REASON}),
    )


def _person(user_id: int | None, name: str = "") -> SafeString | str:
    """A person, linked to all cases about them: moderators may not open pages of other contexts."""
    if user_id is None:
        return "–"
    url = f"{reverse('admin:moderation_case_changelist')}?{urlencode({'state': 'all', 'author_id': user_id})}"
    return format_html('<a href="{}">{}</a>', url, f"@{name}" if name else user_id)


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


def _apply(request: HttpRequest, rows: QuerySet[M], done: str, run: Callable[[M, int, str], object]) -> None:
    """Runs something on each row, and tells how many it was done to and what went wrong with the others."""
    reason = (request.POST.get("reason") or _DEFAULT_REASON)[:_LONGEST_REASON]
    moderator_id = int(request.user.pk or 0)
    succeeded = 0
    for row in rows:
        try:
            again_after_deadlock(partial(run, row, moderator_id, reason))
        except Problem as problem:
            messages.error(request, f"{row}: {problem.detail}")
        else:
            succeeded += 1
    if succeeded:
        messages.success(request, f"{done}: {succeeded}")


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


class NamedList(ChangeList):
    """A page of the log or of appeals with the names of the people in it."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows, with names."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        queries.show_names(self.result_list)


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
        _apply(request, rows, "Decided", lambda row, by, why: _decide(row, decision, moderator_id=by, reason=why))
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
        return _person(case.author_id, case.author_name) if case.author_id is not None else "(erased)"

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
        _apply(request, rows, "Removed", lambda row, by, why: _decide(row, "remove", moderator_id=by, reason=why))

    @admin.action(description="Warn the author", permissions=["decide"])
    def warn_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Warns those who answer for it."""
        _apply(request, rows, "Warned", lambda row, by, why: _decide(row, "warn", moderator_id=by, reason=why))

    @admin.action(description="Ban the author", permissions=["decide"])
    def ban_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Bans those who answer for it."""
        _apply(request, rows, "Banned", lambda row, by, why: _decide(row, "ban", moderator_id=by, reason=why))

    @admin.action(description="Dismiss: nothing is wrong", permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, rows: QuerySet[Case]) -> None:
        """Closes the cases."""
        _apply(request, rows, "Dismissed", lambda row, by, why: _decide(row, "dismiss", moderator_id=by, reason=why))


@admin.register(Report)
class ReportAdmin(ModerationAdmin[Report]):
    """Every report; decisions are made on cases. Who reported stays unsaid."""

    list_display = ("created_at", "target_type", "target_id", "reason", "details", "outcome", "case")
    list_filter = ("target_type", "reason", "outcome")
    list_select_related = ("case",)
    search_fields = ("=target_id", "details")
    exclude = ("reporter_id", "open_key")
    ordering = ("-id",)


@admin.register(Action)
class ActionAdmin(ModerationAdmin[Action]):
    """The log of what was done: to be read, and to lift bans from."""

    list_display = ("sequence", "created_at", "kind", "moderator", "user", "about", "reason")
    list_filter = ("kind", "is_redacted")
    search_fields = ("=user_id", "=moderator_id", "=target_id", "reason")
    ordering = ("-sequence",)
    action_form = ReasonForm
    actions = ("lift_bans",)

    @admin.display(description="user", ordering="user_id")
    def user(self, entry: Action) -> SafeString | str:
        """Whom it is about."""
        return _person(entry.user_id, entry.user_name)

    @admin.display(description="moderator", ordering="moderator_id")
    def moderator(self, entry: Action) -> str:
        """Who did it; a word rule is nobody."""
        return entry.moderator_name or str(entry.moderator_id or "–")

    @admin.display(description="about")
    def about(self, entry: Action) -> str:
        """What it was done to."""
        return f"{entry.target_type} {entry.target_id or ''}".strip() or "–"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The list that fills in names."""
        return NamedList

    @admin.action(description="Lift the ban", permissions=["decide"])
    def lift_bans(self, request: HttpRequest, rows: QuerySet[Action]) -> None:
        """Lifts the bans among the chosen entries."""
        _apply(request, rows, "Lifted", _lift_ban)


def _lift_ban(entry: Action, moderator_id: int, reason: str) -> None:
    if entry.kind != Action.Kind.BAN_USER or entry.user_id is None:
        raise Problem("this is no ban")
    actions.unban_user(moderator_id=moderator_id, user_id=entry.user_id, reason=reason)


@admin.register(Appeal)
class AppealAdmin(ModerationAdmin[Appeal]):
    """What people appeal against; the answer is told to them."""

    list_display = ("created_at", "user", "against", "text", "status", "answer")
    list_filter = ("status",)
    list_select_related = ("action",)
    search_fields = ("=user_id", "text")
    ordering = ("status", "id")
    action_form = ReasonForm
    actions = ("accept", "reject")

    @admin.display(description="user", ordering="user_id")
    def user(self, appeal: Appeal) -> SafeString | str:
        """Who appeals."""
        return _person(appeal.user_id, appeal.user_name)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The list that fills in names."""
        return NamedList

    @admin.display(description="against")
    def against(self, appeal: Appeal) -> str:
        """What was done, and why."""
        return f"{appeal.action.kind}: {appeal.action.reason}"

    @admin.action(description="Accept (lifts a ban)", permissions=["decide"])
    def accept(self, request: HttpRequest, rows: QuerySet[Appeal]) -> None:
        """Accepts the appeals."""
        _apply(request, rows, "Accepted", lambda row, by, why: _answer(row, by, why, is_accepted=True))

    @admin.action(description="Reject", permissions=["decide"])
    def reject(self, request: HttpRequest, rows: QuerySet[Appeal]) -> None:
        """Rejects the appeals."""
        _apply(request, rows, "Rejected", lambda row, by, why: _answer(row, by, why, is_accepted=False))


def _answer(appeal: Appeal, moderator_id: int, answer: str, *, is_accepted: bool) -> None:
    actions.decide_appeal(moderator_id=moderator_id, appeal_id=appeal.id, is_accepted=is_accepted, answer=answer)


class WordRuleForm(forms.ModelForm[WordRule]):
    """A word rule, its pattern in the form that is compared."""

    class Meta:
        model = WordRule
        fields = ("pattern", "action", "is_active")

    def clean_pattern(self) -> str:
        """The plain form of the pattern."""
        try:
            return queries.plain_pattern(self.cleaned_data["pattern"])
        except Invalid as problem:
            raise ValidationError(problem.detail) from None


@admin.register(WordRule)
class WordRuleAdmin(ModerationAdmin[WordRule]):
    """Words that flag or remove a text; changes go through the context's actions, and so into the log."""

    list_display = ("pattern", "action", "is_active", "created_at")
    list_filter = ("action", "is_active")
    search_fields = ("pattern",)
    form = WordRuleForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Moderators keep the rules."""
        return self.is_allowed(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Moderators keep the rules."""
        return self.is_allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Moderators keep the rules."""
        return self.is_allowed(request)

    def save_model(self, request: HttpRequest, obj: WordRule, form: Any, change: bool) -> None:
        """Makes or changes a rule."""
        actions.set_word_rule(
            moderator_id=int(request.user.pk or 0),
            pattern=obj.pattern,
            effect=obj.action,
            is_active=obj.is_active,
            rule_id=obj.id,
        )

    def delete_model(self, request: HttpRequest, obj: WordRule) -> None:
        """Deletes a rule."""
        actions.delete_word_rule(moderator_id=int(request.user.pk or 0), rule_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WordRule]) -> None:
        """Deletes the chosen rules."""
        for rule in queryset:
            self.delete_model(request, rule)


@admin.register(ErasedUser)
class ErasedUserAdmin(ContextModelAdmin[ErasedUser]):
    """The tombstones of erased users."""

    list_display = ("id",)
    list_filter = ()
    search_fields = ("=id",)


@admin.register(LogHead)
class LogHeadAdmin(ContextModelAdmin[LogHead]):
    """Where the log of actions ends."""

    list_display = ("sequence", "hash")
    list_filter = ()
    search_fields = ("hash",)
