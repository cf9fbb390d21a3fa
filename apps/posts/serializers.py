"""Input of posts' routes, and the schema of their responses."""

from typing import Any

from rest_framework import serializers

from apps.posts.access import MAX_CONTENT, MAX_CONTENT_WARNING, MAX_DESCRIPTION, Rule
from apps.posts.actions import MAX_IMAGES
from socialapp.core.media.formats import CONTENT_TYPES
from socialapp.http.fields import Flag, Id, Input, Integer, List, Text
from socialapp.http.serializers import MediaBody, ProfileSummaryBody, ReactionCountsBody


class MediaIds(serializers.ListField):
    """Ids of media, each once, in display order."""

    default_error_messages = {"media_too_many": "A post has up to 4 images, or one video."}
    child = Id()

    def to_internal_value(self, data: Any) -> list[int]:
        """The ids."""
        if isinstance(data, list) and len(data) > MAX_IMAGES:
            self.fail("media_too_many")
        return list(dict.fromkeys(super().to_internal_value(data)))


class NewPost(Input):
    """POST /posts."""

    content = Text(multiline=True, min_length=1, max_length=MAX_CONTENT)
    media_ids = MediaIds(required=False)
    is_private = Flag(required=False)
    sensitive = Flag(required=False)
    content_warning = Text(allow_blank=True, allow_null=True, max_length=MAX_CONTENT_WARNING, required=False)


class PostChange(Input):
    """PATCH /posts/{id}."""

    content = Text(multiline=True, min_length=1, max_length=MAX_CONTENT, required=False)
    media_ids = MediaIds(required=False)
    is_private = Flag(required=False)
    sensitive = Flag(required=False)
    content_warning = Text(allow_blank=True, allow_null=True, max_length=MAX_CONTENT_WARNING, required=False)


class ViewedPosts(Input):
    """POST /posts/views."""

    ids = List(child=Id(), max_length=100)


class NewMedia(Input):
    """POST /media, as multipart/form-data."""

    file = serializers.FileField(allow_empty_file=False)
    description = Text(multiline=True, allow_blank=True, max_length=MAX_DESCRIPTION, required=False)


class MediaChange(Input):
    """PATCH /media/{id}."""

    description = Text(multiline=True, allow_blank=True, max_length=MAX_DESCRIPTION)


class NewUpload(Input):
    """POST /media/uploads."""

    content_type = serializers.ChoiceField(choices=sorted(CONTENT_TYPES))
    size = Integer(min_value=1)
    description = Text(multiline=True, allow_blank=True, max_length=MAX_DESCRIPTION, required=False)
    resumable = Flag(required=False, help_text="Upload in parts, each of which can be retried.")


class MentionBody(serializers.Serializer[Any]):
    """A person mentioned in a post."""

    id = Id()
    username = serializers.CharField()


class UploadPartBody(serializers.Serializer[Any]):
    """A part of a resumable upload: this many bytes of the file, after those of the parts before."""

    number = serializers.IntegerField()
    size = serializers.IntegerField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    received = serializers.BooleanField()


class UploadBody(serializers.Serializer[Any]):
    """Where to PUT a file, with exactly these headers, before `POST /media/{id}/complete`.

    A resumable upload has parts instead of a url. The URLs are signed: no token is needed.
    """

    id = Id()
    method = serializers.CharField()
    url = serializers.CharField(allow_null=True)
    headers = serializers.DictField(child=serializers.CharField())
    parts = UploadPartBody(many=True)
    expires_at = serializers.DateTimeField()


class LinkImageBody(serializers.Serializer[Any]):
    """The picture of a page."""

    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    blurhash = serializers.CharField(allow_null=True)


class LinkPreviewBody(serializers.Serializer[Any]):
    """The metadata of the page behind the first link of a public post; null until it was fetched."""

    url = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(help_text="May be empty, as may site_name.")
    site_name = serializers.CharField()
    image = LinkImageBody(allow_null=True)


class PostBody(serializers.Serializer[Any]):
    """A post."""

    id = Id()
    author = ProfileSummaryBody()
    content = serializers.CharField()
    media = MediaBody(many=True)
    is_private = serializers.BooleanField()
    hashtags = serializers.ListField(child=serializers.CharField())
    link_preview = LinkPreviewBody(allow_null=True)
    mentions = MentionBody(many=True, help_text="Those whom you may see; the names of others are plain text.")
    reposted_by = ProfileSummaryBody(allow_null=True)
    comments_locked = serializers.BooleanField(help_text="A moderator has locked the comments: nobody can add any.")
    withheld = serializers.ChoiceField(
        choices=["waiting", "hidden"],
        allow_null=True,
        help_text="Only the author sees the post: it awaits review by a moderator, or a moderator hid it.",
    )
    comments_count = serializers.IntegerField()
    reactions = ReactionCountsBody()
    reposts_count = serializers.IntegerField()
    my_reaction = serializers.CharField(allow_null=True)
    reposted = serializers.BooleanField()
    bookmarked = serializers.BooleanField()
    edited = serializers.BooleanField()
    sensitive = serializers.BooleanField()
    content_warning = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PostVersionBody(serializers.Serializer[Any]):
    """An earlier text of a post; `created_at` is when it was written."""

    version = serializers.IntegerField()
    content = serializers.CharField()
    media = MediaBody(many=True)
    created_at = serializers.DateTimeField()


class PostVisibilityBody(serializers.Serializer[Any]):
    """Whether somebody sees a post, and the rule that decides it."""

    viewer = Id(allow_null=True, help_text="Null for anybody without a token.")
    visible = serializers.BooleanField()
    rule = serializers.ChoiceField(choices=[rule.value for rule in Rule])
    reason = serializers.CharField(help_text="Human-readable.")


class HashtagBody(serializers.Serializer[Any]):
    """A hashtag, without #, and how many public posts of the last day use it."""

    name = serializers.CharField()
    posts_count = serializers.IntegerField()
