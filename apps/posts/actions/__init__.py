"""Writes of posts: the only callers of `publish` in this context."""

from apps.posts.actions.bulk_import import load_posts
from apps.posts.actions.drift import check_feeds, check_repost_counts, check_tags
from apps.posts.actions.erasure import CLEAN_UP
from apps.posts.actions.feed.epochs import notice_restart
from apps.posts.actions.feed.fan_out import FAN_OUT_BATCH, FeedPage, fan_out, mark_popular
from apps.posts.actions.feed.reader import feeds_without, read_home_feed
from apps.posts.actions.feed.store import CAP, feed_commands, feed_key
from apps.posts.actions.link_previews.fetching import fetch_link_previews, forget_unlinked_previews
from apps.posts.actions.link_previews.recording import first_link
from apps.posts.actions.media.files import delete_unused_files
from apps.posts.actions.media.inspection import (
    delete_abandoned_files,
    delete_unclaimed_media,
    sweep_store,
    verify_store,
)
from apps.posts.actions.media.places import (
    MAX_IMAGES,
    release_from_comment,
    settle_profile_pictures,
    use_as_header_picture,
    use_as_profile_picture,
    use_in_comment,
)
from apps.posts.actions.media.processing import process_media, process_waiting_media
from apps.posts.actions.media.refusals import end_refusals, refuse_media
from apps.posts.actions.media.regeneration import is_ready, ready_media, regenerate_media
from apps.posts.actions.media.removal import (
    delete_comment_media,
    delete_unused_media,
    purge_author,
    purge_caches,
)
from apps.posts.actions.media.uploads import (
    Upload,
    accepted_format,
    begin_upload,
    complete_upload,
    create_media,
    delete_media,
    describe_media,
    open_upload,
    receive_content,
    sizes_in_store,
    store_upload,
)
from apps.posts.actions.population import POPULATION_TABLES
from apps.posts.actions.posts import create_post, delete_post, edit_post
from apps.posts.actions.removals import (
    delete_long_removed,
    delete_or_remove_post,
    remove_as_moderator,
    remove_post,
    restore_post,
    restrict_post,
)
from apps.posts.actions.reposts import add_bookmark, add_repost, mute_post, remove_bookmark, remove_repost, unmute_post
from apps.posts.actions.views import count_impressions, count_view, flush_views, is_counted_command, reader_of

__all__ = [
    "CAP",
    "CLEAN_UP",
    "FAN_OUT_BATCH",
    "MAX_IMAGES",
    "POPULATION_TABLES",
    "FeedPage",
    "Upload",
    "accepted_format",
    "add_bookmark",
    "add_repost",
    "begin_upload",
    "check_feeds",
    "check_repost_counts",
    "check_tags",
    "complete_upload",
    "count_impressions",
    "count_view",
    "create_media",
    "create_post",
    "delete_abandoned_files",
    "delete_comment_media",
    "delete_long_removed",
    "delete_media",
    "delete_or_remove_post",
    "delete_post",
    "delete_unclaimed_media",
    "delete_unused_files",
    "delete_unused_media",
    "describe_media",
    "edit_post",
    "end_refusals",
    "fan_out",
    "feed_commands",
    "feed_key",
    "feeds_without",
    "fetch_link_previews",
    "first_link",
    "flush_views",
    "forget_unlinked_previews",
    "is_counted_command",
    "is_ready",
    "load_posts",
    "mark_popular",
    "mute_post",
    "notice_restart",
    "open_upload",
    "process_media",
    "process_waiting_media",
    "purge_author",
    "purge_caches",
    "read_home_feed",
    "reader_of",
    "ready_media",
    "receive_content",
    "refuse_media",
    "regenerate_media",
    "release_from_comment",
    "remove_as_moderator",
    "remove_bookmark",
    "remove_post",
    "remove_repost",
    "restore_post",
    "restrict_post",
    "settle_profile_pictures",
    "sizes_in_store",
    "store_upload",
    "sweep_store",
    "unmute_post",
    "use_as_header_picture",
    "use_as_profile_picture",
    "use_in_comment",
    "verify_store",
]
