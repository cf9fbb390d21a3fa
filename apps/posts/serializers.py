"""What posts takes in, and, for the schema, what it gives out."""

from typing import Any

from rest_framework import serializers

from apps.posts.queries.texts import MAX_CONTENT
from socialapp.http.fields import Flag, Id, Input, Text


class NewPost(Input):
    """POST /posts."""

    default_error_messages = {"media_unknown": "There is no such media of yours."}

    content = Text(multiline=True, min_length=1, max_length=MAX_CONTENT)
    media_ids = serializers.ListField(child=Id(), required=False)
    is_private = Flag(required=False)

    def validate_media_ids(self, value: list[int]) -> list[int]:
        """Media that the caller has not uploaded cannot be shown."""
        if value:
            self.fail("media_unknown")
        return value


class PostChange(Input):
    """PATCH /posts/{id}."""

    content = Text(multiline=True, min_length=1, max_length=MAX_CONTENT, required=False)
    is_private = Flag(required=False)


class ProfileCardBody(serializers.Serializer[Any]):
    """A person beside what they wrote."""

    id = Id()
    username = serializers.CharField()
    full_name = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)


class MentionBody(serializers.Serializer[Any]):
    """Somebody whom a post names."""

    id = Id()
    username = serializers.CharField()


class ReactionCountsBody(serializers.Serializer[Any]):
    """Reactions by type."""

    like = serializers.IntegerField()
    love = serializers.IntegerField()
    haha = serializers.IntegerField()
    sad = serializers.IntegerField()
    angry = serializers.IntegerField()


class MediaBody(serializers.Serializer[Any]):
    """A picture, video or sound of a post."""

    id = Id()
    type = serializers.CharField()
    status = serializers.CharField()
    url = serializers.CharField(allow_null=True)
    preview_url = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    blurhash = serializers.CharField(allow_null=True)
    description = serializers.CharField()


class PostBody(serializers.Serializer[Any]):
    """A post."""

    id = Id()
    author = ProfileCardBody()
    content = serializers.CharField()
    media = MediaBody(many=True)
    is_private = serializers.BooleanField()
    hashtags = serializers.ListField(child=serializers.CharField())
    mentions = MentionBody(many=True)
    reposted_by = ProfileCardBody(allow_null=True)
    comments_count = serializers.IntegerField()
    reactions = ReactionCountsBody()
    reposts_count = serializers.IntegerField()
    my_reaction = serializers.CharField(allow_null=True)
    bookmarked = serializers.BooleanField()
    edited = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PostVersionBody(serializers.Serializer[Any]):
    """An earlier text of a post; `created_at` is when it was written."""

    version = serializers.IntegerField()
    content = serializers.CharField()
    created_at = serializers.DateTimeField()


class TrendingTagBody(serializers.Serializer[Any]):
    """A hashtag, without #, and how many public posts of the last day bear it."""

    tag = serializers.CharField()
    posts_count = serializers.IntegerField()
