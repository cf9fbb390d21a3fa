"""What comments takes, and what it answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.comments.queries import MAX_CONTENT
from socialapp.http.fields import Id, Input, Text


class NewCommentInput(Input):
    """The body of POST /posts/{id}/comments."""

    content = Text(max_length=MAX_CONTENT, multiline=True)
    parent_comment_id = Id(required=False, allow_null=True, default=None)


class CommentInput(Input):
    """The body of PATCH /comments/{id}."""

    content = Text(max_length=MAX_CONTENT, multiline=True)


class CommentAuthorBody(serializers.Serializer[Any]):
    """The profile card of who wrote it."""

    id = serializers.CharField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)


class CommentReactionsBody(serializers.Serializer[Any]):
    """Reactions by type."""

    like = serializers.IntegerField()
    love = serializers.IntegerField()
    haha = serializers.IntegerField()
    sad = serializers.IntegerField()
    angry = serializers.IntegerField()


class CommentBody(serializers.Serializer[Any]):
    """A comment; a tombstone has no author and no content."""

    id = serializers.CharField()
    post_id = serializers.CharField()
    parent_comment_id = serializers.CharField(allow_null=True)
    author = CommentAuthorBody(allow_null=True)
    content = serializers.CharField(allow_blank=True)
    depth = serializers.IntegerField()
    replies_count = serializers.IntegerField()
    reactions = CommentReactionsBody()
    my_reaction = serializers.CharField(allow_null=True)
    edited = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
