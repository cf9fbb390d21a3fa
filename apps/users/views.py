"""Views of users."""

from collections.abc import Callable
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.users import access, actions, presenters, queries
from apps.users.access import ProfileMissing, Relationship, Viewer, VisibleProfile
from apps.users.serializers import ProfileBody, ProfileInput, RelationshipBody
from socialapp.core.pages import Page
from socialapp.http import etags
from socialapp.http.idempotency import create_once
from socialapp.http.pagination import ids_from_query, page_request, page_response
from socialapp.http.permissions import PublicRead
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View

_IDS = [OpenApiParameter("ids", str, description="Up to 100 ids, separated by commas.")]


class UsersView(View):
    """The base of the views of this context."""

    @property
    def asking(self) -> Viewer:
        """The viewer."""
        principal = self.request.user
        return Viewer(principal.id, principal.is_staff) if principal else Viewer(None)

    def answer_profile(self, request: Request, user_id: int) -> Response:
        """One profile with its ETag."""
        find = partial(access.visible_profile, user_id=user_id, viewer=self.asking)
        return self.render_profile(request, actions.with_profiles(ids=[user_id], call=find))

    def render_profile(self, request: Request, person: VisibleProfile) -> Response:
        """A profile with its ETag."""
        body = presenters.profile_body(person, viewer=self.asking)
        # Others would see in the version when a moderator restricts the account.
        version = person.profile.version if person.profile.user_id == self.asking.id else 0
        return etags.single(request, body=body, version=version)

    def answer_people(self, request: Request, page: Page[Any], ids: list[int]) -> Response:
        """A page of rows, rendered as the profiles of `ids`."""
        people = access.visible_profiles(ids=ids, viewer=self.asking)
        return page_response(request, page=page, results=presenters.profile_bodies(people, viewer=self.asking))

    def relationship_after(self, user_id: int) -> dict[str, object]:
        """The relationship of the two after a change."""
        after = access.relationship_after(user_id=user_id, viewer=self.asking)
        return presenters.relationship_body(after, viewer=self.asking)

    def change_relationship(self, user_id: int, change: Callable[[], None]) -> Response:
        """The relationship of the two after `change`."""
        actions.with_profiles(ids=[self.principal.id, user_id], call=change)
        return Response(self.relationship_after(user_id))


class ProfilesView(UsersView):
    """`/profiles`: several profiles."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read several profiles",
        description="The profiles that exist and that you may see, in the order of `ids`.",
        parameters=_IDS,
        responses=page_of(ProfileBody),
    )
    def get(self, request: Request) -> Response:
        """Up to 100 profiles."""
        ids = ids_from_query(request)
        find = partial(access.visible_profiles, ids=ids, viewer=self.asking)
        people: list[VisibleProfile] = actions.ask_again(ids=ids, ask=find, size=len)
        return page_response(request, page=Page(people), results=presenters.profile_bodies(people, viewer=self.asking))


class ProfileView(UsersView):
    """`/profiles/{id}`: one profile."""

    has_etag = True
    permission_classes = [PublicRead]

    @extend_schema(summary="Read a profile", responses=ProfileBody)
    def get(self, request: Request, user_id: int) -> Response:
        """The profile; 404 if it does not exist or you may not see it."""
        return self.answer_profile(request, user_id)


class ProfileByUsernameView(UsersView):
    """`/profiles/by-username/{username}`: one profile, by its username."""

    has_etag = True
    permission_classes = [PublicRead]

    @extend_schema(
        summary="Read a profile by username",
        description="Case is ignored.",
        responses=ProfileBody,
    )
    def get(self, request: Request, username: str) -> Response:
        """The profile; 404 if it does not exist or you may not see it."""
        try:
            person = access.visible_profile_by_username(username=username, viewer=self.asking)
        except ProfileMissing:
            if not actions.ensure_named_profiles(usernames=[username]):
                raise
            person = access.visible_profile_by_username(username=username, viewer=self.asking)
        return self.render_profile(request, person)


class OwnProfileView(UsersView):
    """`/profiles/me`: the caller's profile."""

    has_etag = True

    @extend_schema(summary="Read your profile", responses=ProfileBody)
    def get(self, request: Request) -> Response:
        """The caller's profile."""
        return self.answer_profile(request, self.principal.id)

    @extend_schema(
        summary="Change your profile",
        description="Making a private account public accepts all open follow requests. With `is_discoverable: false`,"
        " suggestions omit your profile, and explore, the public start page and the sitemap omit your posts. Feeds,"
        " your profile, the pages and trends of hashtags, and search stay as they are.",
        request=ProfileInput,
        responses=ProfileBody,
    )
    def patch(self, request: Request) -> Response:
        """The changed profile; 412 when `If-Match` is stale."""
        actions.change_profile(
            user_id=self.principal.id,
            changes=self.read_input(ProfileInput),
            expected_versions=etags.expected_versions(request),
        )
        return self.answer_profile(request, self.principal.id)


class FollowView(UsersView):
    """`/profiles/{id}/follow`: following somebody."""

    @extend_schema(
        summary="Follow somebody",
        description="A private account gets a follow request: `requested` is true until it is accepted or rejected."
        " Idempotent.",
        request=None,
        responses=RelationshipBody,
    )
    def put(self, request: Request, user_id: int) -> Response:
        """Follows, or sends a follow request."""
        me = self.principal.id
        return self.change_relationship(user_id, lambda: actions.follow(follower_id=me, target_id=user_id))

    @extend_schema(
        summary="Stop following somebody",
        description="Also withdraws a follow request. Idempotent.",
        request=None,
        responses={200: RelationshipBody},
    )
    def delete(self, request: Request, user_id: int) -> Response:
        """Unfollows, or withdraws the request."""
        me = self.principal.id
        return self.change_relationship(user_id, lambda: actions.unfollow(follower_id=me, target_id=user_id))


class BlockView(UsersView):
    """`/profiles/{id}/block`: blocking somebody."""

    @extend_schema(
        summary="Block somebody",
        description="Hides you from each other and ends follows between you. Idempotent.",
        request=None,
        responses=RelationshipBody,
    )
    def put(self, request: Request, user_id: int) -> Response:
        """Blocks."""
        me = self.principal.id
        return self.change_relationship(user_id, lambda: actions.block(blocker_id=me, blocked_id=user_id))

    @extend_schema(summary="End a block", request=None, responses={200: RelationshipBody})
    def delete(self, request: Request, user_id: int) -> Response:
        """Unblocks."""
        me = self.principal.id
        return self.change_relationship(user_id, lambda: actions.unblock(blocker_id=me, blocked_id=user_id))


class MuteView(UsersView):
    """`/profiles/{id}/mute`: muting somebody."""

    @extend_schema(
        summary="Mute somebody",
        description="Hides their posts from your feed and from explore, and their activity from your notifications."
        " They are not notified.",
        request=None,
        responses=RelationshipBody,
    )
    def put(self, request: Request, user_id: int) -> Response:
        """Mutes."""
        me = self.principal.id
        return self.change_relationship(user_id, lambda: actions.mute(muter_id=me, muted_id=user_id))

    @extend_schema(summary="End a mute", request=None, responses={200: RelationshipBody})
    def delete(self, request: Request, user_id: int) -> Response:
        """Unmutes."""
        me = self.principal.id
        return self.change_relationship(user_id, lambda: actions.unmute(muter_id=me, muted_id=user_id))


class RelationshipView(UsersView):
    """`/profiles/{id}/relationship`: the relationship of the caller with one person."""

    has_etag = True

    @extend_schema(summary="Read your relationship with somebody", responses=RelationshipBody)
    def get(self, request: Request, user_id: int) -> Response:
        """The relationship."""
        find = partial(access.visible_relationship, user_id=user_id, viewer=self.asking)
        body = presenters.relationship_body(actions.with_profiles(ids=[user_id], call=find), viewer=self.asking)
        return etags.single(request, body=body, version=0)


class RelationshipsView(UsersView):
    """`/relationships`: the relationships of the caller with several people."""

    @extend_schema(
        summary="Read your relationships with several people",
        description="With those who exist and whom you may see, in the order of `ids`.",
        parameters=_IDS,
        responses=page_of(RelationshipBody),
    )
    def get(self, request: Request) -> Response:
        """Up to 100 relationships."""
        ids = ids_from_query(request)
        find = partial(access.visible_relationships, ids=ids, viewer=self.asking)
        found: list[Relationship] = actions.ask_again(ids=ids, ask=find, size=len)
        bodies = [presenters.relationship_body(relationship, viewer=self.asking) for relationship in found]
        return page_response(request, page=Page(found), results=bodies)


class FollowersView(UsersView):
    """`/profiles/{id}/followers`: somebody's followers."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="Followers",
        description="Newest first. A private account's list is only for itself, its followers and staff (else 403).",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ProfileBody),
    )
    def get(self, request: Request, user_id: int) -> Response:
        """A page of profiles."""
        wanted = page_request(request)
        permit = partial(access.require_lists, user_id=user_id, viewer=self.asking)
        actions.with_profiles(ids=[user_id], call=permit)
        page = queries.followers_page(user_id=user_id, viewer_id=self.asking.id, page=wanted)
        return self.answer_people(request, page, [row.follower_id for row in page.items])


class FollowingView(UsersView):
    """`/profiles/{id}/following`: the people somebody follows."""

    permission_classes = [PublicRead]

    @extend_schema(
        summary="List whom somebody follows",
        description="Newest first. A private account's list is only for itself, its followers and staff (else 403).",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ProfileBody),
    )
    def get(self, request: Request, user_id: int) -> Response:
        """A page of profiles."""
        wanted = page_request(request)
        permit = partial(access.require_lists, user_id=user_id, viewer=self.asking)
        actions.with_profiles(ids=[user_id], call=permit)
        page = queries.following_page(user_id=user_id, viewer_id=self.asking.id, page=wanted)
        return self.answer_people(request, page, [row.following_id for row in page.items])


class BlocksView(UsersView):
    """`/blocks`: the people the caller blocks."""

    @extend_schema(summary="List whom you block", parameters=PAGE_PARAMETERS, responses=page_of(ProfileBody))
    def get(self, request: Request) -> Response:
        """A page of profiles, newest block first."""
        page = queries.blocks_page(user_id=self.principal.id, page=page_request(request))
        return self.answer_people(request, page, [row.blocked_id for row in page.items])


class MutesView(UsersView):
    """`/mutes`: the people the caller mutes."""

    @extend_schema(summary="List whom you mute", parameters=PAGE_PARAMETERS, responses=page_of(ProfileBody))
    def get(self, request: Request) -> Response:
        """A page of profiles, newest mute first."""
        page = queries.mutes_page(user_id=self.principal.id, page=page_request(request))
        return self.answer_people(request, page, [row.muted_id for row in page.items])


class FollowRequestsView(UsersView):
    """`/follow-requests`: the open follow requests to the caller."""

    @extend_schema(
        summary="List the follow requests to you",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ProfileBody),
    )
    def get(self, request: Request) -> Response:
        """A page of profiles, newest request first."""
        page = queries.follow_requests_page(user_id=self.principal.id, page=page_request(request))
        return self.answer_people(request, page, [row.requester_id for row in page.items])


class AcceptFollowRequestView(UsersView):
    """`/follow-requests/{id}/accept`: accepting a follow request."""

    has_idempotency_key = True

    @extend_schema(
        summary="Accept a follow request",
        request=None,
        responses=RelationshipBody,
    )
    def post(self, request: Request, user_id: int) -> Response:
        """The relationship, with `followed_by` true."""
        return create_once(request, context="users", create=lambda: self._accept(user_id))

    def _accept(self, user_id: int) -> tuple[int, dict[str, object]]:
        actions.accept_request(target_id=self.principal.id, requester_id=user_id)
        return 200, self.relationship_after(user_id)


class RejectFollowRequestView(UsersView):
    """`/follow-requests/{id}/reject`: rejecting a follow request."""

    has_idempotency_key = True

    @extend_schema(
        summary="Reject a follow request",
        request=None,
        responses=RelationshipBody,
    )
    def post(self, request: Request, user_id: int) -> Response:
        """The relationship, unchanged."""
        return create_once(request, context="users", create=lambda: self._reject(user_id))

    def _reject(self, user_id: int) -> tuple[int, dict[str, object]]:
        actions.reject_request(target_id=self.principal.id, requester_id=user_id)
        return 200, self.relationship_after(user_id)


class SuggestionsView(UsersView):
    """`/profiles/suggestions`: people whom the caller might want to follow."""

    @extend_schema(
        summary="List people you might want to follow",
        description="People followed by those you follow, ranked by how many of them follow somebody. If there are"
        " none, the authors of trending posts. Excludes people you follow, block or mute, and those who opted out"
        " (`is_discoverable` of the profile).",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ProfileBody),
    )
    def get(self, request: Request) -> Response:
        """A page of profiles."""
        wanted = page_request(request, kinds=(int, int))
        page, people = access.suggestions_page(viewer_id=self.principal.id, page=wanted)
        return page_response(request, page=page, results=presenters.profile_bodies(people, viewer=self.asking))
