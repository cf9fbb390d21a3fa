"""What changes comments: the row, the counts and the event in one transaction; the only callers of publish()."""

from apps.comments.actions.counts import check_posts
from apps.comments.actions.records import load_comments
from apps.comments.actions.removals import CHUNK, continue_removal, erase_user, forget_post
from apps.comments.actions.writing import change_score, create_comment, delete_comment, edit_comment, remove_comment

__all__ = [
    "CHUNK",
    "change_score",
    "check_posts",
    "continue_removal",
    "create_comment",
    "delete_comment",
    "edit_comment",
    "erase_user",
    "forget_post",
    "load_comments",
    "remove_comment",
]
