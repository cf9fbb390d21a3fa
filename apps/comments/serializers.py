"""Input of comments' routes, and the schema of their responses."""

from typing import Any

from rest_framework import serializers

from apps.comments.access import MAX_CONTENT
from socialapp.http.fields import Id, Input, Text
from socialapp.http.serializers import MediaBody, ProfileSummaryBody, ReactionCountsBody


class MediaIds(serializers.ListField):
    """A list of at most one image id."""

    default_error_messages = {"media_too_many": "A comment may have one image."}
    child = Id()

    def to_internal_value(self, data: Any) -> list[int]:
        """The ids."""
        if isinstance(data, list) and len(data) > 1:
            self.fail("media_too_many")
        return list(super().to_internal_value(data))


class NewCommentInput(Input):
    """The body of POST /posts/{id}/comments."""

    content = Text(max_length=MAX_CONTENT, multiline=True)
    parent_comment_id = Id(required=False, allow_null=True, default=None)
    media_ids = MediaIds(required=False, default=list, help_text="One of your images that is ready.")


class CommentInput(Input):
    """The body of PATCH /comments/{id}."""

    content = Text(max_length=MAX_CONTENT, multiline=True)


class CommentBody(serializers.Serializer[Any]):
    """A comment; tombstones have no author and no content."""

    id = serializers.CharField()
    post_id = serializers.CharField()
    parent_comment_id = serializers.CharField(allow_null=True)
    author = ProfileSummaryBody(allow_null=True)
    content = serializers.CharField(allow_blank=True)
    media = MediaBody(many=True, help_text="At most one image; its URLs expire within minutes.")
    depth = serializers.IntegerField()
    withheld = serializers.ChoiceField(
        choices=["waiting", "hidden"],
        allow_null=True,
        help_text="Only the author sees the comment: it awaits review by a moderator, or a moderator hid it.",
    )
    replies_count = serializers.IntegerField()
    reactions = ReactionCountsBody()
    my_reaction = serializers.CharField(allow_null=True)
    edited = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
