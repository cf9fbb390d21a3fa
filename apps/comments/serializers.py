"""What comments takes, and what it answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.comments.access import MAX_CONTENT
from socialapp.http.fields import Id, Input, Text
from socialapp.http.serializers import ProfileSummaryBody, ReactionCountsBody


class NewCommentInput(Input):
    """The body of POST /posts/{id}/comments."""

    content = Text(max_length=MAX_CONTENT, multiline=True)
    parent_comment_id = Id(required=False, allow_null=True, default=None)


class CommentInput(Input):
    """The body of PATCH /comments/{id}."""

    content = Text(max_length=MAX_CONTENT, multiline=True)


class CommentBody(serializers.Serializer[Any]):
    """A comment; a tombstone has no author and no content."""

    id = serializers.CharField()
    post_id = serializers.CharField()
    parent_comment_id = serializers.CharField(allow_null=True)
    author = ProfileSummaryBody(allow_null=True)
    content = serializers.CharField(allow_blank=True)
    depth = serializers.IntegerField()
    withheld = serializers.ChoiceField(
        choices=["waiting", "hidden"],
        allow_null=True,
        help_text="Nobody but its author sees it: it waits for a moderator, or a moderator hid it.",
    )
    replies_count = serializers.IntegerField()
    reactions = ReactionCountsBody()
    my_reaction = serializers.CharField(allow_null=True)
    edited = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
