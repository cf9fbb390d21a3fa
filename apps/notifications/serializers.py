"""What the routes of notifications take, and the shapes that they answer, for the schema."""

import base64
import binascii
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers

from apps.notifications.queries import KINDS
from socialapp.http.fields import Flag, Id, Input, Text

_MAX_IDS = 1000


class ReadInput(Input):
    """What was read: some ids, or everything up to one; exactly one of the two."""

    ids = serializers.ListField(child=Id(), min_length=1, max_length=_MAX_IDS, required=False)
    up_to = Id(required=False)

    default_error_messages = {"exactly_one": "Give either ids or up_to."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuses both and neither."""
        if len(attrs) != 1:
            self.fail("exactly_one")
        return attrs


class FlagsInput(Input):
    """Some of the flags of one kind."""

    in_app = Flag(required=False)
    push = Flag(required=False)
    email = Flag(required=False)


PreferencesInput: type[Input] = type(
    "PreferencesInput",
    (Input,),
    {"__doc__": "The flags to change, by kind.", **{kind: FlagsInput(required=False) for kind in KINDS}},
)


class _Key(Text):
    """Bytes of a fixed length in base64url."""

    default_error_messages = {"not_a_key": "This is not a key of a push subscription."}

    def __init__(self, *, length: int, **options: Any) -> None:
        self.bytes_length = length
        super().__init__(max_length=200, **options)

    def to_internal_value(self, data: Any) -> str:
        """The text without padding."""
        text = super().to_internal_value(data).rstrip("=")
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            self.fail("not_a_key")
        if len(raw) != self.bytes_length:
            self.fail("not_a_key")
        return text


class SubscriptionKeysInput(Input):
    """The browser's keys. Source: RFC 8291."""

    p256dh = _Key(length=65)
    auth = _Key(length=16)


class _Endpoint(Text):
    """The https address of a push service: a name, not an address inside somebody's network."""

    default_error_messages = {"not_an_endpoint": "A push endpoint is an https URL of a public host."}

    def to_internal_value(self, data: Any) -> str:
        """The URL."""
        text = super().to_internal_value(data)
        try:
            parts = urlsplit(text)
            usable = parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc
        except ValueError:
            self.fail("not_an_endpoint")
        if not usable or not _is_public_name(parts.hostname or ""):
            self.fail("not_an_endpoint")
        return text


def _is_public_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))
    return False


class SubscriptionInput(Input):
    """A PushSubscription as the browser's `toJSON()` gives it. Source: W3C Push API."""

    endpoint = _Endpoint(max_length=2048)
    expirationTime = serializers.IntegerField(  # noqa: N815 (the name that browsers give it)
        required=False, allow_null=True, min_value=0, max_value=253_402_300_799_000
    )
    keys = SubscriptionKeysInput()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values that the action takes."""
        expires = attrs.get("expirationTime")
        return {
            "endpoint": attrs["endpoint"],
            "p256dh": attrs["keys"]["p256dh"],
            "auth": attrs["keys"]["auth"],
            "expires_at": None if expires is None else datetime.fromtimestamp(expires / 1000, tz=UTC),
        }


class ActorBody(serializers.Serializer[Any]):
    """The profile card of somebody who acted."""

    id = serializers.CharField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)


class NotificationTargetBody(serializers.Serializer[Any]):
    """What the notification is about; `url` is a path of this API."""

    type = serializers.ChoiceField(choices=["post", "comment", "user"])
    id = serializers.CharField()
    url = serializers.CharField()


class NotificationBody(serializers.Serializer[Any]):
    """A notification. One that somebody else joins comes anew with a greater `id` and the same `group_id`."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    message = serializers.CharField()
    actors = ActorBody(many=True)
    actors_count = serializers.IntegerField()
    target = NotificationTargetBody(allow_null=True)
    is_read = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    group_id = serializers.CharField(allow_null=True)


class UnreadCountBody(serializers.Serializer[Any]):
    """How many notifications are unread."""

    count = serializers.IntegerField()


class FlagsBody(serializers.Serializer[Any]):
    """How one kind is told."""

    in_app = serializers.BooleanField()
    push = serializers.BooleanField()
    email = serializers.BooleanField()


NotificationPreferencesBody: type[serializers.Serializer[Any]] = type(
    "NotificationPreferencesBody",
    (serializers.Serializer,),
    {"__doc__": "How each kind is told.", **{kind: FlagsBody() for kind in KINDS}},
)


class PushSubscriptionBody(serializers.Serializer[Any]):
    """A browser that takes pushes."""

    id = serializers.CharField()
    endpoint = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PushKeyBody(serializers.Serializer[Any]):
    """The `applicationServerKey` for `PushManager.subscribe()`; null when pushes are not set up."""

    key = serializers.CharField(allow_null=True)
