"""Decides who may see, write, edit and delete comments, and gathers what that needs from other contexts.

A comment is visible to whoever may see its post, if its author is active and there is no block between the two.
A tombstone has no author, so it shows wherever its post does. What is hidden but has replies shows as a tombstone,
so that the replies can be read.
"""

from apps.comments.access.bulk_import import LoadableComment, loadable_comments
from apps.comments.access.drafts import (
    MAX_CONTENT,
    MAX_DEPTH,
    Draft,
    EditDraft,
    draft_comment,
    draft_edit,
    no_such_parent,
)
from apps.comments.access.visibility import (
    Visibility,
    comment_in_thread,
    comments_on_visible_posts,
    is_moderation,
    load_visibility,
    load_visibility_of_one,
    own_comment,
    removable_comment,
    visible_comment,
    visible_post,
    visible_refs,
)

__all__ = [
    "MAX_CONTENT",
    "MAX_DEPTH",
    "Draft",
    "EditDraft",
    "LoadableComment",
    "Visibility",
    "comment_in_thread",
    "comments_on_visible_posts",
    "draft_comment",
    "draft_edit",
    "is_moderation",
    "load_visibility",
    "load_visibility_of_one",
    "loadable_comments",
    "no_such_parent",
    "own_comment",
    "removable_comment",
    "visible_comment",
    "visible_post",
    "visible_refs",
]
