"""Response bodies of posts and media, and records of the bulk export."""

from apps.posts.presenters.media import (
    comment_media,
    header_picture_url,
    media_body,
    paths_of,
    profile_picture_url,
    public_path,
    reviewed_comment_media,
    reviewed_media,
    upload_body,
)
from apps.posts.presenters.posts import (
    plain_bodies,
    post_bodies,
    post_body,
    post_record,
    version_bodies,
    visibility_body,
)

__all__ = [
    "comment_media",
    "header_picture_url",
    "media_body",
    "paths_of",
    "plain_bodies",
    "post_bodies",
    "post_body",
    "post_record",
    "profile_picture_url",
    "public_path",
    "reviewed_comment_media",
    "reviewed_media",
    "upload_body",
    "version_bodies",
    "visibility_body",
]
