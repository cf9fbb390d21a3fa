"""Input of notifications' routes, and the schema of their responses."""

import base64
import binascii
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from cryptography.hazmat.primitives.asymmetric import ec
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from apps.notifications.gateways.endpoints import is_public_endpoint, is_set_up
from apps.notifications.presenters import LANGUAGES
from apps.notifications.queries import DIGESTS, KINDS
from socialapp.http.fields import Flag, Id, Input, Integer, List, Text

_MAX_IDS = 1000


class ReadInput(Input):
    """What was read: some ids, or everything up to one; exactly one of the two."""

    ids = List(child=Id(), min_length=1, max_length=_MAX_IDS, required=False)
    up_to = Id(required=False)

    default_error_messages = {"exactly_one": "Send either ids or up_to."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two."""
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
    {
        "__doc__": "The flags to change, by kind, and how often a digest is mailed.",
        **{kind: FlagsInput(required=False) for kind in KINDS},
        "digest": serializers.ChoiceField(choices=DIGESTS, required=False),
    },
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
        if len(raw) != self.bytes_length or not self.is_key(raw):
            self.fail("not_a_key")
        return text

    def is_key(self, raw: bytes) -> bool:
        """Whether bytes of this length can be used."""
        return True


class _PublicKey(_Key):
    """An uncompressed point of the curve P-256: no other key can be used for encryption."""

    def is_key(self, raw: bytes) -> bool:
        """Whether the point lies on the curve."""
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        except ValueError:
            return False
        return True


class SubscriptionKeysInput(Input):
    """The browser's keys. Source: RFC 8291."""

    p256dh = _PublicKey(length=65)
    auth = _Key(length=16)


class _Endpoint(Text):
    """The https URL of a push service: with a host name, not an internal address."""

    default_error_messages = {"not_an_endpoint": "A push endpoint is an https URL of a public host."}

    def to_internal_value(self, data: Any) -> str:
        """The URL."""
        text = super().to_internal_value(data)
        if not is_public_endpoint(text):
            self.fail("not_an_endpoint")
        return text


# The form of device tokens: Apple's are hexadecimal, of variable length; Google's is not documented, but observed.
_DEVICE_TOKENS = {"apns": re.compile(r"[0-9A-Fa-f]{64,200}"), "fcm": re.compile(r"[A-Za-z0-9_:-]{20,2048}")}


class SubscriptionInput(Input):
    """A PushSubscription as from the browser's `toJSON()`, or `provider` and the `token` that a phone's app received.

    Source: W3C Push API.
    """

    provider = serializers.ChoiceField(choices=["web", *_DEVICE_TOKENS], default="web")
    token = Text(max_length=2048, required=False)
    endpoint = _Endpoint(max_length=2048, required=False)
    expirationTime = Integer(  # noqa: N815 (the name that browsers give it)
        required=False, allow_null=True, min_value=0, max_value=253_402_300_799_000
    )
    keys = SubscriptionKeysInput(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values for the action; refuses fields of the other kind of device."""
        provider = attrs["provider"]
        needed = {"endpoint", "keys"} if provider == "web" else {"token"}
        foreign = ({"token"} if needed != {"token"} else {"endpoint", "keys", "expirationTime"}) & set(attrs)
        wrong = {name: _detail("This field is required.", "required") for name in needed - set(attrs)}
        wrong |= {name: _detail(f"This does not belong to {provider}.", "not_allowed") for name in foreign}
        if wrong:
            raise serializers.ValidationError(wrong)
        return self._of_browser(attrs) if provider == "web" else self._of_phone(provider, attrs["token"])

    def _of_phone(self, provider: str, token: str) -> dict[str, Any]:
        if not is_set_up(provider):
            raise serializers.ValidationError(
                {"provider": _detail(f"This server sends no pushes through {provider}.", "not_set_up")}
            )
        if not _DEVICE_TOKENS[provider].fullmatch(token):
            raise serializers.ValidationError({"token": _detail("This is not a device token.", "not_a_token")})
        return {"provider": provider, "endpoint": token}

    def _of_browser(self, attrs: dict[str, Any]) -> dict[str, Any]:
        expires = attrs.get("expirationTime")
        return {
            "endpoint": attrs["endpoint"],
            "p256dh": attrs["keys"]["p256dh"],
            "auth": attrs["keys"]["auth"],
            "expires_at": None if expires is None else datetime.fromtimestamp(expires / 1000, tz=UTC),
        }


def _detail(text: str, code: str) -> list[ErrorDetail]:
    return [ErrorDetail(text, code=code)]


class ActorBody(serializers.Serializer[Any]):
    """The profile summary of an actor."""

    id = serializers.CharField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    profile_picture = serializers.CharField(allow_null=True)


class NotificationTargetBody(serializers.Serializer[Any]):
    """The target of the notification; `url` is a path of this API."""

    type = serializers.ChoiceField(choices=["post", "comment", "user"])
    id = serializers.CharField()
    url = serializers.CharField()


class NotificationBody(serializers.Serializer[Any]):
    """A notification. When another person joins, it is sent again with a greater `id` and the same `group_id`."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    message = serializers.CharField()
    actors = ActorBody(many=True)
    actors_count = serializers.IntegerField()
    target = NotificationTargetBody(allow_null=True)
    is_read = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    group_id = serializers.CharField(allow_null=True)
    action_id = serializers.CharField(
        allow_null=True, required=False, help_text="Only for the kind `moderation`: the action, for `POST /appeals`."
    )


class UnreadCountBody(serializers.Serializer[Any]):
    """How many notifications are unread."""

    count = serializers.IntegerField()


class FlagsBody(serializers.Serializer[Any]):
    """The channels of one kind of notification."""

    in_app = serializers.BooleanField()
    push = serializers.BooleanField()
    email = serializers.BooleanField()


NotificationPreferencesBody: type[serializers.Serializer[Any]] = type(
    "NotificationPreferencesBody",
    (serializers.Serializer,),
    {
        "__doc__": "The channels of each kind of notification, and how often a digest is mailed.",
        **{kind: FlagsBody() for kind in KINDS},
        "digest": serializers.ChoiceField(choices=DIGESTS),
    },
)


class _Clock(Text):
    """A time of day."""

    default_error_messages = {"not_a_time": "A time of day must have the form HH:MM."}

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        text = super().to_internal_value(data)
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
            self.fail("not_a_time")
        return text


class QuietHoursInput(Input):
    """Quiet hours, in which no push is sent; across midnight if `from` is later than `to`."""

    to = _Clock(max_length=5)

    default_error_messages = {"empty": "from and to must differ."}

    def get_fields(self) -> dict[str, Any]:
        """Renamed fields: `from` is a keyword of Python and cannot be an attribute."""
        return {"from": _Clock(max_length=5), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """`from` and `to` must differ."""
        if attrs["from"] == attrs["to"]:
            self.fail("empty")
        return attrs


class _TimeZone(Text):
    """A name of the IANA time zone database."""

    default_error_messages = {"unknown": "This time zone is not known; names look like Europe/Vienna."}

    def to_internal_value(self, data: Any) -> str:
        """The name."""
        text = super().to_internal_value(data)
        if text not in _time_zones():
            self.fail("unknown")
        return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime"})  # is what each server says it is


class ScheduleInput(Input):
    """When and in which language to notify."""

    time_zone = _TimeZone(max_length=64, required=False)
    language = serializers.ChoiceField(choices=sorted(LANGUAGES), required=False, allow_null=True)
    quiet_hours = QuietHoursInput(required=False, allow_null=True)
    digest_hour = Integer(required=False, min_value=0, max_value=23)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values for the action."""
        values: dict[str, Any] = {name: attrs[name] for name in ("time_zone", "digest_hour") if name in attrs}
        if "language" in attrs:
            values["language"] = attrs["language"] or ""
        if "quiet_hours" in attrs:
            quiet = attrs["quiet_hours"] or {"from": "", "to": ""}
            values.update(quiet_from=quiet["from"], quiet_to=quiet["to"])
        return values


class QuietHoursBody(serializers.Serializer[Any]):
    """Quiet hours, in which no push is sent."""

    to = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """See `QuietHoursInput.get_fields`."""
        return {"from": serializers.CharField(), **super().get_fields()}


class ScheduleBody(serializers.Serializer[Any]):
    """When and in which language the caller is notified."""

    time_zone = serializers.CharField()
    language = serializers.CharField(allow_null=True)
    quiet_hours = QuietHoursBody(allow_null=True)
    digest_hour = serializers.IntegerField()


class MailEventInput(Input):
    """A report of a mail server about an address."""

    kind = serializers.ChoiceField(choices=["bounce", "complaint"])
    address = serializers.EmailField(max_length=254)
    permanent = Flag(required=False, default=True)


class MailEventsInput(Input):
    """A batch of reports."""

    events = List(child=MailEventInput(), min_length=1, max_length=1000)


class PushSubscriptionBody(serializers.Serializer[Any]):
    """A browser or phone that receives pushes; `endpoint` is null for phones, whose tokens are not shown."""

    id = serializers.CharField()
    provider = serializers.ChoiceField(choices=["web", *_DEVICE_TOKENS])
    endpoint = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PushKeyBody(serializers.Serializer[Any]):
    """The `applicationServerKey` for `PushManager.subscribe()`; null if pushes are not configured."""

    key = serializers.CharField(allow_null=True)
