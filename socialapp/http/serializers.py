"""Serializers of bodies that several contexts answer with, for the schema."""

from typing import Any

from rest_framework import serializers

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
