"""Input of moderation's routes, and the schema of their responses."""

from typing import Any

from rest_framework import serializers

from socialapp.http.fields import Id, Input, Text

TARGET_TYPES = ["user", "post", "comment"]
REASONS = ["spam", "abuse", "hate", "violence", "nudity", "self_harm", "illegal", "other"]
_MAX_DETAILS = 1000
ACTIONS = [
    "remove_content",
    "mark_sensitive",
    "hide_content",
    "warn_user",
    "ban_user",
    "silence_user",
    "limit_user",
    "limit_links",
    "limit_media",
    "demand_password",
    "lock_comments",
    "reset_profile",
]
OUTCOMES = ["removed", "sanctioned", "dismissed", "gone"]


class ReportInput(Input):
    """A report. A free-text reason counts as `other`, and precedes the details."""

    target_type = serializers.ChoiceField(choices=TARGET_TYPES)
    target_id = Id()
    reason = Text(max_length=100, help_text=f"One of {', '.join(REASONS)}, or words of your own.")
    details = Text(multiline=True, max_length=_MAX_DETAILS, allow_blank=True, required=False, default="")
    rule_id = Id(required=False, allow_null=True, default=None, help_text="The broken rule, of `/moderation/rules`.")

    default_error_messages = {"max_length": f"Reason and details together can have at most {_MAX_DETAILS} characters."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values for the action."""
        if attrs["reason"] in REASONS:
            return attrs
        details = "\n".join(filter(None, (attrs["reason"], attrs["details"])))
        if len(details) > _MAX_DETAILS:
            self.fail("max_length")
        return {**attrs, "reason": "other", "details": details}


class AppealInput(Input):
    """An appeal."""

    action_id = Id()
    text = Text(multiline=True, max_length=2000)


class ReportBody(serializers.Serializer[Any]):
    """A report by the caller."""

    id = serializers.CharField()
    target_type = serializers.ChoiceField(choices=TARGET_TYPES)
    target_id = serializers.CharField(allow_null=True, help_text="Null if the user it is about was erased.")
    reason = serializers.ChoiceField(choices=REASONS)
    details = serializers.CharField()
    rule_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["open", "resolved"])
    outcome = serializers.ChoiceField(choices=OUTCOMES, allow_null=True)
    created_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class ActionBody(serializers.Serializer[Any]):
    """What moderation did about the caller or what they wrote."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=ACTIONS)
    target_type = serializers.ChoiceField(choices=TARGET_TYPES)
    target_id = serializers.CharField()
    reason = serializers.CharField()
    rule_id = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="When it ends.")
    created_at = serializers.DateTimeField()


class AppealBody(serializers.Serializer[Any]):
    """An appeal by the caller."""

    id = serializers.CharField()
    action_id = serializers.CharField()
    text = serializers.CharField()
    status = serializers.ChoiceField(choices=["open", "accepted", "rejected"])
    answer = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class RuleBody(serializers.Serializer[Any]):
    """A rule of this installation; a changed text has a new id."""

    id = serializers.CharField()
    number = serializers.IntegerField()
    text = serializers.CharField()


class TransparencyBody(serializers.Serializer[Any]):
    """What moderation did in a month."""

    month = serializers.CharField(help_text="Such as 2026-11.")
    reports = serializers.IntegerField()
    actions = serializers.DictField(child=serializers.IntegerField(), help_text="Decisions by kind.")
    automated = serializers.IntegerField(help_text="How many of these were made by word rules.")
    appeals = serializers.IntegerField()
    appeals_accepted = serializers.IntegerField()
