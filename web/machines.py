"""For other programs: oEmbed of public posts, robots.txt, the sitemap."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.html import escape

from socialapp.core.text.excerpts import shortened
from socialapp.http.problems import reading_only
from web.public import post_body, public_posts

_TITLE_LENGTH = 80
_SITEMAP_POSTS = 200
_PRIVATE = ("/settings", "/notifications", "/bookmarks", "/follow-requests", "/compose", "/admin/", "/internal/")


@reading_only
def oembed(request: HttpRequest) -> HttpResponse:
    """What other sites show for a link to a public post. Source: https://oembed.com."""
    try:
        address = urlsplit(request.GET.get("url", ""))
        is_here = f"{address.scheme}://{address.netloc}" == settings.PUBLIC_URL
        post_id = resolve(address.path).kwargs.get("post_id") if is_here else None
    except (ValueError, Resolver404):  # no URL at all, such as "http://["
        post_id = None
    post = post_body(post_id) if isinstance(post_id, int) else None
    if post is None:
        raise Http404
    return JsonResponse(
        {
            "version": "1.0",
            "type": "link",
            "title": shortened(str(post.get("content_warning") or post["content"]), length=_TITLE_LENGTH),
            "author_name": post["author"]["full_name"] or post["author"]["username"],
            "author_url": f"{settings.PUBLIC_URL}/@{post['author']['username']}",
            "provider_name": settings.INSTANCE_NAME,
            "provider_url": settings.PUBLIC_URL,
            "cache_age": 3600,
        }
    )


@reading_only
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines may read. Source: RFC 9309."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE)]
    if settings.SITEMAP:
        lines += ["", f"Sitemap: {settings.PUBLIC_URL}/sitemap.xml"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@reading_only
def sitemap(request: HttpRequest) -> HttpResponse:
    """The newest public posts and their authors' profiles, unless SITEMAP is off. Source: https://www.sitemaps.org."""
    if not settings.SITEMAP:
        raise Http404
    pages = {"/": "", "/explore": ""}
    for post in public_posts(limit=_SITEMAP_POSTS):
        pages[f"/posts/{post['id']}"] = str(post["updated_at"])
        pages.setdefault(f"/@{post['author']['username']}", "")
    entries = [
        f"<url><loc>{escape(settings.PUBLIC_URL + path)}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</url>"
        for path, at in pages.items()
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    response = HttpResponse(head + "\n".join(entries) + "\n</urlset>\n", content_type="application/xml; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    return response
