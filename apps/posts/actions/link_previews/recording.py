"""Records which link of a post is to be previewed.

For public posts only: the server must not open links that were shared with few people.
"""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.posts.models import LinkPreview, Post, PostLink
from socialapp.core.media.pages import MAX_URL
from socialapp.core.text.urls import find_urls
from socialapp.messaging.periodic import run_after_commit


def first_link(content: str) -> str | None:
    """The first http or https URL of a text, without its fragment."""
    for span in find_urls(content):
        url = content[span.start : span.end].partition("#")[0]
        if url.lower().startswith(("http://", "https://")) and len(url) <= MAX_URL:
            return url
    return None


def record_link(post: Post, *, is_new: bool = False) -> None:
    """Requests a preview of the first link of a public post, replacing any other; joins the caller's transaction."""
    url = first_link(post.content) if settings.LINK_PREVIEWS and not post.is_private else None
    if url is None and is_new:
        return
    if url is None:
        PostLink.objects.filter(post_id=post.id).delete()
        return
    url_key, now = hashlib.sha256(url.encode()).hexdigest(), timezone.now()
    PostLink.objects.update_or_create(post_id=post.id, defaults={"url_key": url_key})
    preview, is_due = LinkPreview.objects.get_or_create(
        url_key=url_key, defaults={"url": url, "due_at": now, "created_at": now}
    )
    until = now - timedelta(days=settings.LINK_PREVIEW_DAYS)
    if not is_due and preview.due_at is None and (preview.fetched_at is None or preview.fetched_at < until):
        LinkPreview.objects.filter(url_key=url_key).update(due_at=now, attempts=0)
        is_due = True
    if is_due:
        run_after_commit("posts", task="posts.fetch_link_previews")
