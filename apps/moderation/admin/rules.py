"""Admin pages of rules, blocks and templates."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.moderation import access, actions, queries
from apps.moderation.access import MOST_DAYS
from apps.moderation.admin.deciding import KeptByModerators, ModerationAdmin, TargetList, target_link
from apps.moderation.models import Block, InstanceRule, ReasonTemplate, RuleHit, WordRule
from socialapp.core.errors import Invalid
from socialapp.http.admin import PersonColumn, is_admin


class WordRuleForm(forms.ModelForm[WordRule]):
    """A word rule, with its pattern in stored form."""

    class Meta:
        model = WordRule
        fields = ("kind", "pattern", "action", "is_active")

    def clean_pattern(self) -> str:
        """The plain form of the pattern."""
        try:
            return access.plain_pattern(
                self.cleaned_data["pattern"], kind=self.cleaned_data.get("kind", WordRule.Kind.WORDS)
            )
        except Invalid as problem:
            raise ValidationError(problem.detail) from None


@admin.register(WordRule)
class WordRuleAdmin(KeptByModerators, ModerationAdmin[WordRule]):
    """Word rules; changes go through the context's actions, and so into the log."""

    list_display = ("pattern", "kind", "action", "is_active", "found", "created_at")
    list_filter = ("kind", "action", "is_active")
    search_fields = ("pattern",)
    form = WordRuleForm
    change_form_template = "admin/moderation/wordrule/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[WordRule]:
        """The rules with their numbers of matches."""
        return super().get_queryset(request).annotate(hits_count=Count("hits"))

    @admin.display(description="found", ordering="hits_count")
    def found(self, rule: WordRule) -> SafeString:
        """The number of matches, linked to them."""
        url = f"{reverse('admin:moderation_rulehit_changelist')}?rule__id__exact={rule.id}"
        return format_html('<a href="{}">{}</a>', url, getattr(rule, "hits_count", 0))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The rule, and with `?try=7` what it would have matched in that many days."""
        extra = dict(extra_context or {})
        days = request.GET.get("try", "")
        rule = WordRule.objects.filter(id=object_id).first() if self.can_be_key(object_id) else None
        if rule is not None and days.isdecimal() and len(days) < 4 and self.is_allowed(request):
            extra |= {"trial": access.try_rule(rule, days=int(days)), "days": min(int(days), MOST_DAYS)}
        return super().change_view(request, object_id, form_url, extra)

    def save_model(self, request: HttpRequest, obj: WordRule, form: Any, change: bool) -> None:
        """Creates or changes a rule."""
        actions.set_word_rule(
            moderator_id=int(request.user.pk or 0),
            kind=obj.kind,
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


@admin.register(RuleHit)
class RuleHitAdmin(ModerationAdmin[RuleHit]):
    """Matches of rules, and their consequences."""

    list_display = ("created_at", "rule", target_link, PersonColumn("author_id"), "effect")
    list_filter = ("effect", "target_type", "rule")
    list_select_related = ("rule",)
    search_fields = ("=target_id", "=author_id")
    ordering = ("-id",)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The change list that fills in people and texts."""
        return TargetList


class BlockForm(forms.ModelForm[Block]):
    """A block of sign-ups, with its value in stored form."""

    class Meta:
        model = Block
        fields = ("kind", "value", "reason", "until")

    def clean(self) -> dict[str, Any]:
        """The plain form of the value."""
        values = super().clean() or self.cleaned_data
        if values.get("kind") and values.get("value"):
            try:
                values["value"] = access.plain_block(values["value"], kind=values["kind"])
            except Invalid as problem:
                self.add_error("value", problem.errors[0].detail if problem.errors else problem.detail)
        return values


@admin.register(Block)
class BlockAdmin(KeptByModerators, ModerationAdmin[Block]):
    """E-mail domains and network addresses that are blocked from signing up."""

    list_display = ("value", "kind", "reason", "until", "created_at")
    list_filter = ("kind",)
    search_fields = ("value", "reason")
    form = BlockForm

    def save_model(self, request: HttpRequest, obj: Block, form: Any, change: bool) -> None:
        """Creates or changes a block."""
        saved = actions.set_block(
            moderator_id=int(request.user.pk or 0),
            kind=obj.kind,
            value=obj.value,
            reason=obj.reason,
            until=obj.until,
            block_id=obj.id if change else None,
        )
        obj.id = saved.id

    def delete_model(self, request: HttpRequest, obj: Block) -> None:
        """Ends a block."""
        actions.delete_block(moderator_id=int(request.user.pk or 0), block_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Block]) -> None:
        """Ends the chosen blocks."""
        for block in queryset:
            self.delete_model(request, block)


class InstanceRuleForm(forms.ModelForm[InstanceRule]):
    """A rule of the installation."""

    class Meta:
        model = InstanceRule
        fields = ("number", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}

    def clean_number(self) -> int:
        """The number, from 1."""
        number: int = self.cleaned_data["number"]
        if number < 1:
            raise ValidationError("A rule needs a number from 1.")
        return number


@admin.register(InstanceRule)
class InstanceRuleAdmin(ModerationAdmin[InstanceRule]):
    """The rules that people see and decisions refer to; maintained by administrators. A changed text is a new
    version."""

    list_display = ("number", "text", "version", "created_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter),)
    search_fields = ("text",)
    ordering = ("number", "-version")
    form = InstanceRuleForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only administrators."""
        return is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only rules in force can be changed."""
        return is_admin(request) and (obj is None or getattr(obj, "retired_at", None) is None)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Retires the rule; decisions by it keep its text."""
        return self.has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: InstanceRule, form: Any, change: bool) -> None:
        """Creates a rule, or its next version."""
        by = int(request.user.pk or 0)
        rule = actions.set_instance_rule(moderator_id=by, number=obj.number, text=obj.text)
        if change and form.initial["number"] != obj.number:
            actions.retire_instance_rule(moderator_id=by, rule_id=obj.id)
        obj.id = rule.id

    def delete_model(self, request: HttpRequest, obj: InstanceRule) -> None:
        """Retires a rule."""
        actions.retire_instance_rule(moderator_id=int(request.user.pk or 0), rule_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[InstanceRule]) -> None:
        """Retires the chosen rules."""
        for rule in queryset:
            self.delete_model(request, rule)


class ReasonTemplateForm(forms.ModelForm[ReasonTemplate]):
    """A template of a reason, with a rule in force."""

    class Meta:
        model = ReasonTemplate
        fields = ("name", "text", "rule_number")
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}

    rule_number = forms.TypedChoiceField(label="Rule", required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rule_number" in self.fields:
            chosen = [("", "—"), *((rule.number, str(rule)) for rule in queries.present_rules())]
            self.fields["rule_number"].choices = chosen  # type: ignore[attr-defined]


@admin.register(ReasonTemplate)
class ReasonTemplateAdmin(ModerationAdmin[ReasonTemplate]):
    """Templates of frequent reasons; maintained by administrators."""

    list_display = ("name", "text", "rule_number")
    search_fields = ("name", "text")
    ordering = ("name",)
    form = ReasonTemplateForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only administrators."""
        return is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only administrators."""
        return is_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only administrators."""
        return is_admin(request)

    def save_model(self, request: HttpRequest, obj: ReasonTemplate, form: Any, change: bool) -> None:
        """Creates or changes a template."""
        saved = actions.set_reason_template(
            moderator_id=int(request.user.pk or 0),
            name=obj.name,
            text=obj.text,
            rule_number=obj.rule_number,
            template_id=obj.id if change else None,
        )
        obj.id = saved.id

    def delete_model(self, request: HttpRequest, obj: ReasonTemplate) -> None:
        """Deletes a template."""
        actions.delete_reason_template(moderator_id=int(request.user.pk or 0), template_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ReasonTemplate]) -> None:
        """Deletes the chosen templates."""
        for template in queryset:
            self.delete_model(request, template)
