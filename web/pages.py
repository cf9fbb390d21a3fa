"""The client's addresses: its files, its document for every page, and public posts and profiles readable as HTML."""

from urllib.parse import quote

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.templatetags.static import static

from socialapp.core.text.excerpts import shortened
from socialapp.http.problems import reading_only
from web.assets import assets
from web.public import post_body, profile_body, public_posts, trending_posts
from web.shell import Page, message, shell

_TITLE_LENGTH = 70
_DESCRIPTION_LENGTH = 200
_FIRST_POSTS = 6
_LIST = "client/list.html"
_TITLES = {
    "/search": "nav.search",
    "/notifications": "nav.notifications",
    "/follow-requests": "requests.title",
    "/bookmarks": "nav.bookmarks",
    "/compose": "composer.title",
    "/settings": "nav.settings",
    "/login": "login.title",
    "/signup": "signup.title",
    "/forgot": "forgot.title",
    "/reset-password": "reset.title",
    "/verify-email": "verify.title",
}
_PLAIN = {"/login", "/signup", "/forgot", "/reset-password", "/verify-email", "/about/components"}
_FOREVER = "public, max-age=31536000, immutable"


def asset(request: HttpRequest, version: str, path: str) -> HttpResponse:
    """A file of the client. One of another release is answered with where this release has it."""
    files = assets()
    found = files.get(path)
    if found is None:
        raise Http404
    if version != files.version:
        moved = HttpResponseRedirect(files.url(path))
        moved["Cache-Control"] = "no-store"
        return moved
    response = HttpResponse(found.content, content_type=found.content_type)
    response["Vary"] = "Accept-Encoding"
    if found.compressed and "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(found.compressed, content_type=found.content_type)
        response["Content-Encoding"] = "gzip"
        response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = _FOREVER
    response["Access-Control-Allow-Origin"] = "*"
    return response


@reading_only
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root so that it covers every page; browsers look for a new one by themselves."""
    files = assets()
    found = files.get("sw.js")
    if found is None:
        return HttpResponse(status=404)
    content = found.content.decode().replace("__ROOT__", files.root)
    response = HttpResponse(content, content_type=found.content_type)
    response["Cache-Control"] = "no-cache"
    response["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'; script-src 'self'"
    return response


@reading_only
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest: name, icons and share target. Source: W3C Web Application Manifest."""
    icon = static("favicon.svg")
    response = JsonResponse(
        {
            "id": "/",
            "name": settings.INSTANCE_NAME,
            "short_name": settings.INSTANCE_NAME,
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "theme_color": "#2456c7",
            "background_color": "#ffffff",
            "icons": [{"src": icon, "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
            "share_target": {
                "action": "/compose",
                "method": "GET",
                "params": {"title": "title", "text": "text", "url": "url"},
            },
        },
        content_type="application/manifest+json",
    )
    response["Cache-Control"] = "public, max-age=3600"
    return response


@reading_only
def page(request: HttpRequest) -> HttpResponse:
    """Any page of the client that has nothing to read without it."""
    key = _TITLES.get(request.path)
    title = message(request, key, name=settings.INSTANCE_NAME) if key else ""
    return shell(request, Page(title=title, path=request.path, is_plain=request.path in _PLAIN, indexed=False))


@reading_only
def welcome(request: HttpRequest) -> HttpResponse:
    """What this place is, and the newest public posts; people with an account see their feed here."""
    name = settings.INSTANCE_NAME
    text = _description(request)
    context: dict[str, object] = {
        "name": message(request, "welcome.title", name=name),
        "text": text,
        "links": [("/signup", message(request, "signup.do")), ("/login", message(request, "login.do"))],
        "posts": public_posts(limit=_FIRST_POSTS),
    }
    return shell(
        request,
        Page(description=text, template=_LIST, context=context, first=("/instance", "/explore?sort=recent")),
    )


@reading_only
def explore(request: HttpRequest) -> HttpResponse:
    """Public posts of everybody: the newest, or what trends."""
    is_recent = request.GET.get("sort") == "recent"
    title = message(request, "nav.explore")
    return shell(
        request,
        Page(
            title=title,
            description=_description(request),
            path="/explore",
            template=_LIST,
            context={
                "name": title,
                "links": [
                    ("/explore", message(request, "explore.trending")),
                    ("/explore?sort=recent", message(request, "explore.recent")),
                ],
                "here": request.get_full_path(),
                "posts": (public_posts if is_recent else trending_posts)(limit=_FIRST_POSTS),
            },
            first=("/instance", f"/explore?sort={'recent' if is_recent else 'trending'}"),
        ),
    )


def _description(request: HttpRequest) -> str:
    """What this place is, in the words of its operator or else in ours."""
    return settings.INSTANCE_DESCRIPTION or message(request, "welcome.text")


def anything(request: HttpRequest) -> HttpResponse:
    """An unknown address: the client says so to people, machines get the usual problem."""
    if request.method not in ("GET", "HEAD") or "text/html" not in request.headers.get("Accept", ""):
        raise Http404
    return shell(request, Page(path=request.path, indexed=False, status=404))


def post(request: HttpRequest, post_id: int) -> HttpResponse:
    """A post. Its text is in the document when everybody may see it; else 404, and the client asks with its token."""
    found = post_body(post_id)
    if found is None:
        return shell(request, Page(path=request.path, indexed=False, status=404))
    author = found["author"]
    name = author["full_name"] or author["username"]
    text = str(found["content_warning"] if found.get("content_warning") else found["content"])
    image = next((each["preview_url"] for each in found["media"] if each.get("preview_url")), "")
    return shell(
        request,
        Page(
            title=f"{name}: {shortened(text, length=_TITLE_LENGTH)}",
            description=shortened(text, length=_DESCRIPTION_LENGTH),
            path=f"/posts/{post_id}",
            template="client/post.html",
            context={"post": found, "name": name},
            first=("/instance", f"/posts/{post_id}", f"/posts/{post_id}/comments?sort=oldest"),
            kind="article",
            image="" if found.get("sensitive") else str(image or author["profile_picture"] or ""),
            oembed=True,
        ),
    )


def profile(request: HttpRequest, username: str) -> HttpResponse:
    """A profile; readable in the document like a post."""
    found = profile_body(username)
    if found is None:
        return shell(request, Page(path=request.path, indexed=False, status=404))
    name = found["full_name"] or found["username"]
    return shell(
        request,
        Page(
            title=f"{name} (@{found['username']})",
            description=shortened(str(found["bio"] or ""), length=_DESCRIPTION_LENGTH),
            path=f"/@{found['username']}",
            template="client/profile.html",
            context={"profile": found, "name": name, "posts": public_posts(author_id=int(found["id"]))},
            first=(
                "/instance",
                f"/profiles/by-username/{found['username']}",
                f"/profiles/{found['id']}/posts",
            ),
            kind="profile",
            image=str(found["profile_picture"] or ""),
            feed="" if found["is_private"] else f"/@{found['username']}/feed",
            indexed=not found["is_private"],
        ),
    )


def hashtag(request: HttpRequest, tag: str) -> HttpResponse:
    """The public posts with a hashtag; readable in the document like a post."""
    return shell(
        request,
        Page(
            title=f"#{tag}",
            path=f"/hashtags/{quote(tag)}",
            template=_LIST,
            context={"name": f"#{tag}", "posts": public_posts(tag=tag)},
            first=("/instance", f"/hashtags/{quote(tag.lower())}/posts"),
            feed=f"/hashtags/{quote(tag)}/feed",
        ),
    )
