"""Serializers of bodies shared by several contexts, for the schema."""

from typing import Any

from rest_framework import serializers

from socialapp.core.media.results import REASONS
from socialapp.http.fields import Id


class ProfileSummaryBody(serializers.Serializer[Any]):
    """A person beside what they wrote or did."""

    id = Id()
    username = serializers.CharField()
    full_name = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)


class ReactionCountsBody(serializers.Serializer[Any]):
    """Reactions by type."""

    like = serializers.IntegerField()
    love = serializers.IntegerField()
    haha = serializers.IntegerField()
    sad = serializers.IntegerField()
    angry = serializers.IntegerField()


class MediaSizeBody(serializers.Serializer[Any]):
    """One size of a picture; the poster, for videos and animations."""

    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class MediaSizesBody(serializers.Serializer[Any]):
    """With a longer edge of at most 1920, 960 and 400 pixels; none before the media are ready."""

    large = MediaSizeBody(required=False)
    medium = MediaSizeBody(required=False)
    small = MediaSizeBody(required=False)


class MediaBody(serializers.Serializer[Any]):
    """A picture, animation or video. URLs of non-public media expire within minutes.

    If processing failed, `error_code` and `error` have the reason, for programs and for people.
    """

    id = Id()
    type = serializers.ChoiceField(choices=["image", "gifv", "video"])
    status = serializers.ChoiceField(choices=["processing", "ready", "failed"])
    url = serializers.CharField(allow_null=True)
    preview_url = serializers.CharField(allow_null=True)
    sizes = MediaSizesBody()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    duration = serializers.FloatField(allow_null=True, help_text="Seconds.")
    blurhash = serializers.CharField(allow_null=True)
    color = serializers.CharField(allow_null=True, help_text="The dominant color, as #rrggbb.")
    description = serializers.CharField()
    error = serializers.CharField(allow_null=True)
    error_code = serializers.ChoiceField(choices=list(REASONS), allow_null=True)
