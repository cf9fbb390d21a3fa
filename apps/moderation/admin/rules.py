"""Word rules: made, changed and deleted by moderators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.moderation import actions
from apps.moderation.access.word_rules import plain_pattern
from apps.moderation.admin.deciding import ModerationAdmin
from apps.moderation.models import InstanceRule, WordRule
from socialapp.core.errors import Invalid
from socialapp.http.admin import is_admin


class WordRuleForm(forms.ModelForm[WordRule]):
    """A word rule, its pattern in the form that is compared."""

    class Meta:
        model = WordRule
        fields = ("pattern", "action", "is_active")

    def clean_pattern(self) -> str:
        """The plain form of the pattern."""
        try:
            return plain_pattern(self.cleaned_data["pattern"])
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


class InstanceRuleForm(forms.ModelForm[InstanceRule]):
    """A rule of the installation."""

    class Meta:
        model = InstanceRule
        fields = ("number", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}


@admin.register(InstanceRule)
class InstanceRuleAdmin(ModerationAdmin[InstanceRule]):
    """The rules that people see and decisions name; administrators keep them. New words make a new version."""

    list_display = ("number", "text", "version", "created_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter),)
    search_fields = ("text",)
    ordering = ("number", "-version")
    form = InstanceRuleForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Administrators keep the rules."""
        return is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only what is in force is changed."""
        return is_admin(request) and (obj is None or getattr(obj, "retired_at", None) is None)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting takes a rule out of force; its words stay for what was decided by them."""
        return self.has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: InstanceRule, form: Any, change: bool) -> None:
        """Makes a rule, or its next version."""
        by = int(request.user.pk or 0)
        rule = actions.set_instance_rule(moderator_id=by, number=obj.number, text=obj.text)
        if change and form.initial["number"] != obj.number:
            actions.retire_instance_rule(moderator_id=by, rule_id=obj.id)
        obj.id = rule.id

    def delete_model(self, request: HttpRequest, obj: InstanceRule) -> None:
        """Takes a rule out of force."""
        actions.retire_instance_rule(moderator_id=int(request.user.pk or 0), rule_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[InstanceRule]) -> None:
        """Takes the chosen rules out of force."""
        for rule in queryset:
            self.delete_model(request, rule)
