"""All lists of the API, and how to request them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.query_budgets.dataset import Dataset


@dataclass(frozen=True)
class Listed:
    """How to request a list of the dataset: path and query, user, and the page sizes to compare.

    `one_page`: a ranking without further pages.
    """

    ask: Callable[[Dataset], str]
    by: str = "reader"
    least: int = 1
    most: int = 50
    one_page: bool = False


# All lists of the API. Those that take ids get 1 and 50 of them; the others limit=1 and limit=50.
LISTS: dict[str, list[Listed]] = {
    "/v1/appeals": [Listed(lambda dataset: "/v1/appeals", by="scolded")],
    "/v1/auth/passkeys": [Listed(lambda dataset: "/v1/auth/passkeys", most=20)],
    "/v1/auth/social": [Listed(lambda dataset: "/v1/auth/social")],
    "/v1/auth/sessions": [Listed(lambda dataset: "/v1/auth/sessions")],
    "/v1/blocks": [Listed(lambda dataset: "/v1/blocks", by="hermit")],
    "/v1/bookmarks": [Listed(lambda dataset: "/v1/bookmarks")],
    "/v1/comments": [Listed(lambda dataset: "/v1/comments")],
    "/v1/comments/{comment_id}/reactions": [Listed(lambda dataset: f"/v1/comments/{dataset.comment_id}/reactions")],
    "/v1/comments/{comment_id}/replies": [Listed(lambda dataset: f"/v1/comments/{dataset.comment_id}/replies")],
    "/v1/explore": [
        Listed(lambda dataset: "/v1/explore"),
        Listed(lambda dataset: "/v1/explore?sort=trending", one_page=True),
    ],
    "/v1/feed": [Listed(lambda dataset: "/v1/feed")],
    "/v1/follow-requests": [Listed(lambda dataset: "/v1/follow-requests", by="shy")],
    "/v1/hashtags/{tag}/posts": [Listed(lambda dataset: "/v1/hashtags/market/posts")],
    "/v1/hashtags/trending": [Listed(lambda dataset: "/v1/hashtags/trending")],
    "/v1/moderation/actions": [Listed(lambda dataset: "/v1/moderation/actions", by="scolded")],
    "/v1/mutes": [Listed(lambda dataset: "/v1/mutes", by="sleeper")],
    "/v1/notifications": [
        Listed(lambda dataset: "/v1/notifications", by="newcomer"),
        # Takes one call per kind of target, so both pages must contain every kind.
        Listed(lambda dataset: "/v1/notifications?unread=true", least=10),
    ],
    "/v1/posts": [Listed(lambda dataset: "/v1/posts")],
    "/v1/posts/{post_id}/comments": [
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/comments?sort=oldest"),
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/comments?sort=newest"),
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/comments?sort=top"),
    ],
    "/v1/posts/{post_id}/history": [Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/history")],
    "/v1/posts/{post_id}/reactions": [
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/reactions"),
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/reactions?type=like"),
    ],
    "/v1/profiles": [Listed(lambda dataset: "/v1/profiles")],
    "/v1/profiles/{profile_id}/posts": [Listed(lambda dataset: f"/v1/profiles/{dataset.author.id}/posts")],
    "/v1/profiles/{user_id}/followers": [Listed(lambda dataset: f"/v1/profiles/{dataset.reader.id}/followers")],
    "/v1/profiles/{user_id}/following": [Listed(lambda dataset: f"/v1/profiles/{dataset.reader.id}/following")],
    "/v1/profiles/suggestions": [Listed(lambda dataset: "/v1/profiles/suggestions", by="newcomer")],
    "/v1/push-subscriptions": [Listed(lambda dataset: "/v1/push-subscriptions", most=20)],
    "/v1/relationships": [Listed(lambda dataset: "/v1/relationships")],
    "/v1/reports": [Listed(lambda dataset: "/v1/reports")],
    "/v1/search": [
        Listed(lambda dataset: "/v1/search?q=crowd&type=users"),
        Listed(lambda dataset: "/v1/search?q=needle&type=posts"),
        Listed(lambda dataset: "/v1/search?q=market&type=hashtags"),
        Listed(lambda dataset: "/v1/search?q=needle"),
    ],
    "/v1/search/suggest": [
        Listed(lambda dataset: "/v1/search/suggest?q=crowd", most=20),
        Listed(lambda dataset: "/v1/search/suggest?q=market", most=20),
    ],
}
