"""Common parts of moderation's pages: permissions, the form for the reason, and running decisions."""

from collections.abc import Callable
from typing import Any

import structlog
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from apps.moderation import access
from apps.moderation.admin.choices import LONGEST_REASON
from apps.moderation.models import TargetType
from socialapp.core.errors import Problem
from socialapp.http.admin import ContextModelAdmin, M, PeopleList, is_staff

log = structlog.get_logger()

_FIRST_WORDS = 80


class ModerationAdmin(ContextModelAdmin[M]):
    """Pages that moderators see as well as administrators."""

    class Media:
        css = {"all": ("moderation.css",)}
        js = ("moderation.js",)

    def is_allowed(self, request: HttpRequest) -> bool:
        """Administrators and moderators."""
        return is_staff(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions of these pages."""
        return self.is_allowed(request)


class KeptByModerators:
    """A mixin for `ModerationAdmin`: moderators may add, change and delete the rows, too."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Staff."""
        return is_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Staff."""
        return is_staff(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Staff."""
        return is_staff(request)


class ReasonForm(ActionForm):
    """The form for the reason that is sent to the person concerned."""

    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        label="Reason (sent to the person):",
        widget=forms.TextInput(attrs={"size": 40, "placeholder": "a default text"}),
    )


def reason_in(request: HttpRequest) -> str:
    """The reason that the moderator gave, without NUL, which no mail may have; "" for the action's own words."""
    return request.POST.get("reason", "").replace("\0", "")[:LONGEST_REASON]


def run_on_each(
    request: HttpRequest, rows: QuerySet[M], done: str | Callable[[], str], run: Callable[[M, int, str], object]
) -> int:
    """Runs an action on each row, and reports the number of successes, which it returns, and any errors."""
    reason = reason_in(request)
    moderator_id = int(request.user.pk or 0)
    succeeded = 0
    for row in rows:
        try:
            run(row, moderator_id, reason)
        except Problem as problem:
            messages.error(request, f"{row}: {problem.detail}")
        else:
            succeeded += 1
    if succeeded:
        messages.success(request, f"{done() if callable(done) else done}: {succeeded}")
    return succeeded


class TargetList(PeopleList):
    """A page of rows with the texts of their targets."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows; makes the calls of `target_texts` if texts are shown."""
        super().get_results(request)
        self.result_list = rows = list(self.result_list)
        try:
            texts = access.target_texts((row.target_type, row.target_id) for row in rows)
        except Problem as problem:
            texts = {}
            log.warning("moderation.no_texts", error=problem.detail)
        for row in rows:
            row.target_text = texts.get(row.target_id, "")


@admin.display(description="about", ordering="target_id")
def target_link(row: Any) -> SafeString | str:
    """A target's kind and first words, linked to the page for decisions about it."""
    if row.target_id is None or row.target_type not in TargetType.values:
        return "–"
    words = Truncator(getattr(row, "target_text", "")).chars(_FIRST_WORDS) or f"(gone) {row.target_id}"
    url = reverse("admin:moderation_case_about", args=[row.target_type, row.target_id])
    kind = TargetType(row.target_type).label
    return format_html(
        '<a href="{}" class="target-words" dir="auto"><span class="target-kind">{}</span>{}</a>', url, kind, words
    )
