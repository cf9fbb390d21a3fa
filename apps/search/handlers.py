"""Event handlers of search: they fetch the present documents and index those.

With `SEARCH_SYNC=cdc` documents come from `manage.py search cdc` instead; deletions are taken from both.
"""

from collections.abc import Sequence

from django.conf import settings

from apps.search import actions, queries
from apps.search.queries import EngagementCount
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.metrics import EngagementChanged, Metrics, PostEngagement
from socialapp.contracts.posts import (
    PostCreated,
    PostDeleted,
    PostDocument,
    PostEdited,
    PostRemoved,
    PostRestored,
    Posts,
)
from socialapp.contracts.users import Followed, ProfileChanged, ProfileDocument, StatusChanged, Unfollowed, Users
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client

Indexed = PostCreated | PostEdited | PostRestored


def _present_posts(events: Sequence[Indexed]) -> list[PostDocument]:
    return client(Posts).documents(post_ids=sorted({event.post_id for event in events})) if _by_events() else []


def _present_profiles(events: Sequence[ProfileChanged | StatusChanged]) -> list[ProfileDocument]:
    return client(Users).documents(ids=sorted({event.user_id for event in events})) if _by_events() else []


def _followed_profiles(events: Sequence[Followed | Unfollowed]) -> list[ProfileDocument]:
    return client(Users).documents(ids=sorted({event.following_id for event in events})) if _by_events() else []


def _by_events() -> bool:
    return str(settings.SEARCH_SYNC) == "events"


@handles(PostCreated, PostEdited, PostRestored, gather=_present_posts, together=True)
def index_post(events: Sequence[Indexed], documents: list[PostDocument]) -> None:
    """Indexes the posts; deleted ones have an event of their own."""
    actions.index_posts(documents=documents)


@handles(PostDeleted)
def remove_post(event: PostDeleted) -> None:
    """Deletes the post permanently."""
    actions.remove_post(post_id=event.post_id, author_id=event.author_id)


@handles(PostRemoved)
def hide_post(event: PostRemoved) -> None:
    """Deletes the post until it is restored."""
    actions.hide_post(post_id=event.post_id, author_id=event.author_id, version=event.version)


@handles(ProfileChanged, StatusChanged, gather=_present_profiles, together=True)
def index_profile(events: Sequence[ProfileChanged | StatusChanged], documents: list[ProfileDocument]) -> None:
    """Indexes the profiles, which determine whether their posts are found."""
    actions.index_profiles(documents=documents)


@handles(Followed, Unfollowed, gather=_followed_profiles, together=True)
def index_followers(events: Sequence[Followed | Unfollowed], documents: list[ProfileDocument]) -> None:
    """Updates the numbers of followers, by which people are sorted."""
    actions.index_profiles(documents=documents)


def _present_engagement(event: EngagementChanged) -> list[PostEngagement]:
    return client(Metrics).engagement(post_ids=[count.post_id for count in event.counts])


@handles(EngagementChanged, gather=_present_engagement)
def take_over_engagement(event: EngagementChanged, engagement: list[PostEngagement]) -> None:
    """Updates the numbers behind relevance and `min_reactions:`, to the present ones: the event's own would replace
    later ones if it arrives late."""
    actions.set_engagement(
        counts=[
            EngagementCount(count.post_id, reactions=max(count.reactions, 0), engagement=queries.engagement_of(count))
            for count in engagement
        ]
    )


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases the user from the index."""
    actions.erase_user(user_id=event.user_id, erasure_id=event.erasure_id)
