"""The tables of posts: posts, their media, and what readers do with them."""

from apps.posts.models.media import LinkPreview, Media, MediaPurge, PostLink, RefusedMedia, StoredFile, UploadPart
from apps.posts.models.posts import Post, PostEdit, PostHashtag, PostMention, RemovedPost, RestoredRemoval
from apps.posts.models.readers import Bookmark, FeedEpoch, MutedPost, PopularAuthor, Repost, RepostCount

__all__ = [
    "Bookmark",
    "FeedEpoch",
    "LinkPreview",
    "Media",
    "MediaPurge",
    "MutedPost",
    "PopularAuthor",
    "Post",
    "PostEdit",
    "PostHashtag",
    "PostLink",
    "PostMention",
    "RefusedMedia",
    "RemovedPost",
    "Repost",
    "RepostCount",
    "RestoredRemoval",
    "StoredFile",
    "UploadPart",
]
