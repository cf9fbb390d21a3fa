"""Views of notifications."""

import hmac

import jwt
from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.notifications import access, actions, presenters, queries
from apps.notifications.serializers import (
    MailEventsInput,
    NotificationBody,
    NotificationPreferencesBody,
    PreferencesInput,
    PushKeyBody,
    PushSubscriptionBody,
    ReadInput,
    ScheduleBody,
    ScheduleInput,
    SubscriptionInput,
    UnreadCountBody,
)
from socialapp.core.errors import Malformed, Unauthenticated
from socialapp.http import etags
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import Public
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View
from socialapp.rpc.calls import verify_service_token


class NotificationsView(View):
    """`/notifications`: the caller's notifications."""

    hot_methods = ("GET",)

    @extend_schema(
        summary="List your notifications, newest activity first",
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("unread", bool, description="Only unread ones.")],
        responses=page_of(NotificationBody),
    )
    def get(self, request: Request) -> Response:
        """A page, without notifications that are no longer visible."""
        page = queries.notification_page(
            user_id=self.principal.id, page=page_request(request), unread_only=_unread_only(request)
        )
        visibility = access.load_visibility(user_id=self.principal.id, rows=page.items)
        bodies = presenters.notification_bodies(visibility=visibility, rows=page.items)
        return page_response(request, page=page, results=bodies)


def _unread_only(request: Request) -> bool:
    sent = request.query_params.get("unread", "false")
    if sent not in ("true", "false"):
        raise Malformed("unread must be true or false", code="unread_invalid")
    return sent == "true"


class NotificationView(View):
    """`/notifications/{id}`: one notification of the caller."""

    @extend_schema(
        summary="Delete a notification",
        responses={204: None},
    )
    def delete(self, request: Request, notification_id: int) -> Response:
        """204; 404 for somebody else's notification."""
        actions.delete_notification(user_id=self.principal.id, notification_id=notification_id)
        return Response(status=204)


class ReadView(View):
    """`/notifications/read`: marks notifications as read."""

    @extend_schema(
        summary="Mark some notifications, or all up to one, as read",
        request=ReadInput,
        responses=UnreadCountBody,
    )
    def post(self, request: Request) -> Response:
        """The unread count after it."""
        sent = self.read_input(ReadInput)
        if "ids" in sent:
            actions.mark_read(user_id=self.principal.id, ids=sent["ids"])
        else:
            actions.mark_read_up_to(user_id=self.principal.id, up_to=sent["up_to"])
        return Response({"count": access.unread_count(user_id=self.principal.id).count})


class UnreadCountView(View):
    """`/notifications/unread-count`: the number of unread notifications."""

    @extend_schema(
        summary="Read how many of your notifications are unread",
        responses=UnreadCountBody,
    )
    def get(self, request: Request) -> Response:
        """The unread count."""
        return Response({"count": access.unread_count(user_id=self.principal.id).count})


class PreferencesView(View):
    """`/notifications/preferences`: the channels by which the caller is notified of each kind."""

    has_etag = True

    @extend_schema(
        summary="Read your notification preferences",
        responses=NotificationPreferencesBody,
    )
    def get(self, request: Request) -> Response:
        """The flags of every kind."""
        return self._answer(request)

    @extend_schema(
        summary="Change your notification preferences",
        description="Omitted kinds and flags are unchanged. Without `in_app` no notification of the kind is created,"
        " which is not possible for `moderation`. `digest` is a mail about unread notifications.",
        request=PreferencesInput,
        responses=NotificationPreferencesBody,
    )
    def patch(self, request: Request) -> Response:
        """The flags of every kind after the change."""
        sent = self.read_input(PreferencesInput)
        digest = sent.pop("digest", None)
        actions.change_preferences(
            user_id=self.principal.id,
            changes=sent,
            digest=digest,
            expected_versions=etags.expected_versions(request),
        )
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        found = queries.preferences(user_id=self.principal.id)
        return etags.single(request, body=presenters.preferences_body(found), version=found.version)


class ScheduleView(View):
    """`/notifications/schedule`: when and in which language the caller is notified."""

    has_etag = True

    @extend_schema(
        summary="Read when and in which language you are notified",
        responses=ScheduleBody,
    )
    def get(self, request: Request) -> Response:
        """The settings, or the defaults."""
        chosen = queries.settings_of(user_id=self.principal.id)
        return etags.single(request, body=presenters.schedule_body(chosen), version=chosen.version)

    @extend_schema(
        summary="Change when and in which language you are notified",
        description="Omitted fields are unchanged. During quiet hours pushes wait. `language` null: the device's"
        " language.",
        request=ScheduleInput,
        responses=ScheduleBody,
    )
    def patch(self, request: Request) -> Response:
        """The changed settings."""
        changed = actions.change_schedule(
            user_id=self.principal.id,
            changes=self.read_input(ScheduleInput),
            expected_versions=etags.expected_versions(request),
        )
        return etags.single(request, body=presenters.schedule_body(changed), version=changed.version)


class UnsubscribeView(View):
    """`/notifications/unsubscribe`: stops mails without logging in.

    Mail programs call it for their unsubscribe button.
    """

    permission_classes = [Public]
    authentication_classes = []

    @extend_schema(
        summary="Unsubscribe from mails by token (RFC 8058, one click)",
        parameters=[OpenApiParameter("token", str, required=True, description="From the List-Unsubscribe header.")],
        request=None,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """204; 422 if the token is not valid."""
        actions.unsubscribe(token=request.query_params.get("token", ""))
        return Response(status=204)


class PushSubscriptionsView(View):
    """`/push-subscriptions`: the push subscriptions of the caller."""

    has_idempotency_key = True
    location = "/v1/push-subscriptions/{id}"

    @extend_schema(
        summary="List your push subscriptions",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PushSubscriptionBody),
    )
    def get(self, request: Request) -> Response:
        """A page, newest first."""
        page = queries.subscription_page(user_id=self.principal.id, page=page_request(request))
        return page_response(request, page=page, results=[presenters.subscription_body(row) for row in page.items])

    @extend_schema(
        summary="Store the push subscription of a browser, or the device token of a phone",
        description="A browser sends `endpoint` and `keys`, an app on a phone `provider` (apns or fcm) and `token`.",
        request=SubscriptionInput,
        responses={201: PushSubscriptionBody},
    )
    def post(self, request: Request) -> Response:
        """The subscription; the same device renews it."""
        if (answer := replayed(request, context="notifications")) is not None:
            return answer
        sent = self.read_input(SubscriptionInput)
        language = presenters.best_language(request.headers.get("Accept-Language", ""))
        return create_once(
            request,
            context="notifications",
            create=lambda: (
                201,
                presenters.subscription_body(
                    actions.subscribe_to_push(
                        user_id=self.principal.id, session_id=self.principal.session, language=language, **sent
                    )
                ),
            ),
        )


class PushSubscriptionView(View):
    """`/push-subscriptions/{id}`: one push subscription of the caller."""

    @extend_schema(
        summary="Delete a push subscription",
        responses={204: None},
    )
    def delete(self, request: Request, subscription_id: int) -> Response:
        """204."""
        actions.remove_subscription(user_id=self.principal.id, subscription_id=subscription_id)
        return Response(status=204)


class PushKeyView(View):
    """`/push-subscriptions/key`: the key for push subscriptions of browsers."""

    permission_classes = [Public]

    @extend_schema(
        summary="Read the server's public key for push subscriptions (VAPID, RFC 8292)",
        responses=PushKeyBody,
    )
    def get(self, request: Request) -> Response:
        """The key, or null if pushes are not configured."""
        return Response({"key": settings.VAPID_PUBLIC_KEY or None})


class MailEventsView(View):
    """`/internal/mail/events`: bounces and complaints, reported by the mail server or its provider.

    Not reachable through the gateway.
    """

    authentication_classes = []
    permission_classes = [Public]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """How many people will get no more mails. Takes `{"events": [{"kind", "address", "permanent"}]}`.
        Idempotent."""
        _authenticate_mail_server(request)
        events = self.read_input(MailEventsInput)["events"]
        concerned = actions.record_mail_events([actions.MailEvent(**event) for event in events])
        return Response({"suppressed": concerned})


def _authenticate_mail_server(request: Request) -> None:
    """Mail servers cannot create service tokens, so they authenticate with MAIL_EVENTS_SECRET."""
    token = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    if settings.MAIL_EVENTS_SECRET and hmac.compare_digest(token.encode(), settings.MAIL_EVENTS_SECRET.encode()):
        return
    try:
        verify_service_token(token, audience="notifications")
    except jwt.InvalidTokenError:
        raise Unauthenticated("a token of the mail server is needed", code="token_invalid") from None
