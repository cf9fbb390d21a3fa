"""The addresses of the web client. All others belong to the API or do not exist."""

from django.conf import settings
from django.urls import URLPattern, path, re_path

from web import captcha, feeds, machines, pages

urlpatterns: list[URLPattern] = [
    re_path(rf"^{settings.STATIC_URL.strip('/')}/client/(?P<version>[0-9a-f]{{12}})/(?P<path>[\w./-]+)$", pages.asset),
    path("sw.js", pages.service_worker),
    path("manifest.webmanifest", pages.manifest),
    path("sitemap.xml", machines.sitemap),
    re_path(r"^@(?P<username>[\w.]{1,30})/feed\.(?P<kind>rss|atom)$", feeds.profile),
    re_path(r"^hashtags/(?P<tag>[^/]{1,100})/feed\.(?P<kind>rss|atom)$", feeds.hashtag),
    path("captcha", captcha.frame),
    path("oembed", machines.oembed),
    path("robots.txt", machines.robots),
    path("", pages.welcome, name="client"),
    path("explore", pages.explore),
    path("posts/<id:post_id>", pages.post),
    re_path(r"^@(?P<username>[\w.]{1,30})$", pages.profile),
    re_path(r"^hashtags/(?P<tag>[^/]{1,100})$", pages.hashtag),
    re_path(r"^(?P<username>)@[\w.]+/(?:media|followers|following)$", lambda request, username: pages.page(request)),
    re_path(
        r"^(?:(?:comments|profiles)/[0-9]+|search|notifications|follow-requests|bookmarks|compose|settings(?:/[a-z-]+)?"
        r"|login|signup|forgot|reset-password|verify-email|social/[a-z]+|erasures/[\w-]{1,40}|about/components)$",
        pages.page,
    ),
    re_path(r"^(?!(?:v1|api|admin|internal|health|metrics|static|media|ws|\.well-known)(?:/|$)).+$", pages.anything),
]
