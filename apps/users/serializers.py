"""Input of users' routes, and the schema of their responses."""

from typing import Any

from rest_framework import serializers

from socialapp.http.fields import Flag, Id, Input, Name, Text


class ProfileInput(Input):
    """The fields of one's own profile that can be changed."""

    full_name = Name(required=False, allow_blank=True, max_length=100)
    bio = Text(required=False, allow_blank=True, max_length=500, multiline=True)
    is_private = Flag(required=False)
    is_discoverable = Flag(required=False)
    profile_picture_media_id = Id(required=False, allow_null=True)
    header_picture_media_id = Id(required=False, allow_null=True)


class RelationshipBody(serializers.Serializer[Any]):
    """The relationship of the caller with somebody; `blocked_by` is for staff only."""

    id = serializers.CharField(required=False)
    following = serializers.BooleanField()
    followed_by = serializers.BooleanField()
    requested = serializers.BooleanField()
    blocking = serializers.BooleanField()
    blocked_by = serializers.BooleanField(required=False)
    muting = serializers.BooleanField()


class ProfileBody(serializers.Serializer[Any]):
    """A person; `relationship` is present if the request has a token, `is_discoverable` only in one's own profile."""

    id = serializers.CharField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    bio = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)
    header_picture = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["active", "inactive", "banned", "deleted"])
    is_private = serializers.BooleanField()
    is_discoverable = serializers.BooleanField(required=False)
    followers_count = serializers.IntegerField()
    following_count = serializers.IntegerField()
    posts_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    relationship = RelationshipBody(required=False)
