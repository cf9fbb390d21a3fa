"""The routes of notifications."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.notifications import actions, queries
from apps.notifications.serializers import (
    NotificationBody,
    NotificationPreferencesBody,
    PreferencesInput,
    PushKeyBody,
    PushSubscriptionBody,
    ReadInput,
    SubscriptionInput,
    UnreadCountBody,
)
from socialapp.core.errors import Malformed
from socialapp.http import etags
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import Public
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View


class NotificationsView(View):
    """The caller's notifications."""

    @extend_schema(
        operation_id="notifications_list",
        summary="The caller's notifications, newest activity first",
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("unread", bool, description="Only what is unread.")],
        responses=page_of(NotificationBody),
    )
    def get(self, request: Request) -> Response:
        """A page; what may not be seen any more is left out."""
        page = queries.notification_page(
            user_id=self.principal.id, page=page_request(request), unread_only=_unread_only(request)
        )
        bodies = queries.notification_bodies(user_id=self.principal.id, rows=page.items)
        return page_response(request, page, bodies)


def _unread_only(request: Request) -> bool:
    sent = request.query_params.get("unread", "false")
    if sent not in ("true", "false"):
        raise Malformed("unread must be true or false", code="unread_invalid")
    return sent == "true"


class ReadView(View):
    """Marks notifications as read."""

    @extend_schema(
        operation_id="notifications_read",
        summary="Mark some notifications, or all up to one, as read",
        request=ReadInput,
        responses=UnreadCountBody,
    )
    def post(self, request: Request) -> Response:
        """What is unread after it."""
        sent = self.read_input(ReadInput)
        if "ids" in sent:
            actions.mark_read(user_id=self.principal.id, ids=sent["ids"])
        else:
            actions.mark_read_up_to(user_id=self.principal.id, up_to=sent["up_to"])
        return Response({"count": queries.unread(user_id=self.principal.id).count})


class UnreadCountView(View):
    """How much is unread."""

    @extend_schema(
        operation_id="notifications_unread_count",
        summary="How many of the caller's notifications are unread",
        responses=UnreadCountBody,
    )
    def get(self, request: Request) -> Response:
        """The number."""
        return Response({"count": queries.unread(user_id=self.principal.id).count})


class PreferencesView(View):
    """How the caller wants to be told of each kind."""

    has_etag = True

    @extend_schema(
        operation_id="notification_preferences_read",
        summary="How the caller is told of each kind of notification",
        responses=NotificationPreferencesBody,
    )
    def get(self, request: Request) -> Response:
        """The flags of every kind."""
        return self._answer(request)

    @extend_schema(
        operation_id="notification_preferences_update",
        summary="Change how the caller is told of some kinds of notification",
        description="Kinds and flags that are not given stay. Without `in_app` no notification of the kind is made.",
        request=PreferencesInput,
        responses=NotificationPreferencesBody,
    )
    def patch(self, request: Request) -> Response:
        """The flags of every kind after the change."""
        actions.change_preferences(
            user_id=self.principal.id,
            changes=self.read_input(PreferencesInput),
            expected_versions=etags.expected_versions(request),
        )
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        found = queries.preferences(user_id=self.principal.id)
        return etags.single(request, found.flags, version=found.version)


class PushSubscriptionsView(View):
    """The browsers of the caller that take pushes."""

    has_idempotency_key = True

    @extend_schema(
        operation_id="push_subscriptions_list",
        summary="The caller's push subscriptions",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PushSubscriptionBody),
    )
    def get(self, request: Request) -> Response:
        """A page, newest first."""
        page = queries.subscription_page(user_id=self.principal.id, page=page_request(request))
        return page_response(request, page, [queries.subscription_body(row) for row in page.items])

    @extend_schema(
        operation_id="push_subscriptions_create",
        summary="Keep a browser's push subscription",
        request=SubscriptionInput,
        responses={201: PushSubscriptionBody},
    )
    def post(self, request: Request) -> Response:
        """The subscription; the same browser again renews it."""
        if (answer := replayed(request, context="notifications")) is not None:
            return answer
        sent = self.read_input(SubscriptionInput)
        return create_once(
            request,
            context="notifications",
            create=lambda: (
                201,
                queries.subscription_body(actions.subscribe_to_push(user_id=self.principal.id, **sent)),
            ),
        )


class PushSubscriptionView(View):
    """One browser of the caller."""

    @extend_schema(
        operation_id="push_subscriptions_delete",
        summary="Forget a push subscription",
        responses={204: None},
    )
    def delete(self, request: Request, subscription_id: int) -> Response:
        """Nothing."""
        actions.remove_subscription(user_id=self.principal.id, subscription_id=subscription_id)
        return Response(status=204)


class PushKeyView(View):
    """The key that browsers subscribe with."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="push_subscriptions_key",
        summary="The server's public key for push subscriptions (VAPID, RFC 8292)",
        responses=PushKeyBody,
    )
    def get(self, request: Request) -> Response:
        """The key, or null where pushes are not set up."""
        return Response({"key": settings.VAPID_PUBLIC_KEY or None})
