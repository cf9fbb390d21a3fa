"""Input of moderation's routes, and the forms of their answers for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from socialapp.api.fields import Id, Input, Text

TARGET_TYPES = ["user", "post", "comment"]
REASONS = ["spam", "abuse", "hate", "violence", "nudity", "self_harm", "illegal", "other"]
OUTCOMES = ["removed", "sanctioned", "dismissed"]


class ReportInput(Input):
    """A report."""

    target_type = serializers.ChoiceField(choices=TARGET_TYPES)
    target_id = Id()
    reason = serializers.ChoiceField(choices=REASONS)
    details = Text(multiline=True, max_length=1000, allow_blank=True, required=False, default="")


class AppealInput(Input):
    """An appeal."""

    action_id = Id()
    text = Text(multiline=True, max_length=2000)


class ReportBody(serializers.Serializer[Any]):
    """A report by the caller."""

    id = serializers.CharField()
    target_type = serializers.ChoiceField(choices=TARGET_TYPES)
    target_id = serializers.CharField(allow_null=True, help_text="Null when the user it is about was erased.")
    reason = serializers.ChoiceField(choices=REASONS)
    details = serializers.CharField()
    status = serializers.ChoiceField(choices=["open", "resolved"])
    outcome = serializers.ChoiceField(choices=OUTCOMES, allow_null=True)
    created_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class ActionBody(serializers.Serializer[Any]):
    """What moderation did about the caller or what they wrote."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=["remove_content", "warn_user", "ban_user"])
    target_type = serializers.ChoiceField(choices=TARGET_TYPES)
    target_id = serializers.CharField()
    reason = serializers.CharField()
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
