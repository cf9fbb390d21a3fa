"""RSS and Atom feeds of profiles and hashtags: what everybody may see, newest first."""

import re
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.utils.html import escape, linebreaks

from socialapp.core.text.excerpts import shortened
from socialapp.http.problems import reading_only
from web.public import profile_body, public_posts

_KINDS: dict[str, type[Rss201rev2Feed | Atom1Feed]] = {"rss": Rss201rev2Feed, "atom": Atom1Feed}
_TITLE_LENGTH = 80
_FRESH_SECONDS = 300
# Characters that no document may have, whatever people write: XML 1.0, section 2.2.
_NOT_IN_XML: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@reading_only
def profile(request: HttpRequest, username: str, kind: str) -> HttpResponse:
    """The public posts of somebody; 404 for private, banned and unknown people."""
    found = profile_body(username)
    if found is None or found["is_private"]:
        raise Http404
    name = found["full_name"] or found["username"]
    posts = public_posts(author_id=int(found["id"]))
    return _feed(kind, f"/@{found['username']}", f"{name} (@{found['username']})", str(found["bio"] or ""), posts)


@reading_only
def hashtag(request: HttpRequest, tag: str, kind: str) -> HttpResponse:
    """The public posts with a hashtag."""
    return _feed(kind, f"/hashtags/{quote(tag)}", f"#{tag}", "", public_posts(tag=tag))


def _feed(kind: str, path: str, title: str, description: str, posts: list[dict[str, Any]]) -> HttpResponse:
    """Sources: the RSS 2.0 specification; RFC 4287 (Atom)."""
    feed: Rss201rev2Feed | Atom1Feed = _KINDS[kind](
        title=_in_xml(f"{title} · {settings.INSTANCE_NAME}"),
        link=settings.PUBLIC_URL + path,
        description=_in_xml(description or title),
        feed_url=f"{settings.PUBLIC_URL}{path}/feed.{kind}",
    )
    for post in posts:
        _add(feed, post)
    response = HttpResponse(content_type=feed.content_type)
    feed.write(response, "utf-8")
    patch_cache_control(response, public=True, max_age=_FRESH_SECONDS)
    return response


def _add(feed: Rss201rev2Feed | Atom1Feed, post: dict[str, Any]) -> None:
    """A post with a content warning says only the warning: readers show what is here at once."""
    author, warning, content = post["author"], _in_xml(post.get("content_warning") or ""), _in_xml(post["content"])
    link = f"{settings.PUBLIC_URL}/posts/{post['id']}"
    feed.add_item(
        title=shortened(warning or content, length=_TITLE_LENGTH) or f"@{author['username']}",
        link=link,
        unique_id=link,
        unique_id_is_permalink=True,
        description=escape(warning) if warning else linebreaks(content, autoescape=True),
        author_name=_in_xml(author["full_name"] or author["username"]),
        author_link=f"{settings.PUBLIC_URL}/@{author['username']}",
        pubdate=datetime.fromisoformat(post["created_at"]),
        updateddate=datetime.fromisoformat(post["updated_at"]),
        categories=post["hashtags"],
    )


def _in_xml(text: str) -> str:
    return _NOT_IN_XML.sub("", text)
