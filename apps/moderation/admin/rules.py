"""Word rules: made, changed and deleted by moderators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.moderation import actions, queries
from apps.moderation.admin.deciding import ModerationAdmin
from apps.moderation.models import WordRule
from socialapp.core.errors import Invalid


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
