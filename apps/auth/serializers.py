"""Input of auth's routes, and the schema of their responses."""

import unicodedata
from typing import Any

from rest_framework import serializers

from apps.auth.actions import Challenge
from apps.auth.queries import Account, ErasureProgress, ExportState, LoggedIn, Tokens
from socialapp.core.text.characters import LONGEST_DECOMPOSITION
from socialapp.core.text.passwords import MAX_PASSWORD
from socialapp.http.fields import Flag, Input, Name, Text

_MAX_KEY = 500
_MAX_TOKEN = 4096


class Password(Text):
    """A password, independent of the keyboard that composed it. Source: RFC 8265, section 4.2 (OpaqueString)."""

    longest_form = LONGEST_DECOMPOSITION

    def to_internal_value(self, data: Any) -> str:
        """The password in normal form C, with every kind of space as the ASCII one."""
        text = super().to_internal_value(data)
        spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
        return unicodedata.normalize("NFC", spaced)


def password_field(**options: Any) -> Password:
    """A field for a password, old or new."""
    return Password(max_length=MAX_PASSWORD, trim_whitespace=False, **options)


class _CookieInput(Input):
    """Whether the refresh token is set as a cookie instead of returned in the body, for browsers."""

    cookie = Flag(required=False)


class RegisterInput(_CookieInput):
    """The fields of a new account; `invite`, `application` and `captcha` where GET /instance requires them."""

    email = Text(max_length=254)
    password = password_field()
    username = Text(max_length=30, trim_whitespace=False)
    full_name = Name(max_length=100, required=False, allow_blank=True)
    invite = Text(max_length=100, required=False, allow_blank=True)
    application = Text(max_length=1000, required=False, allow_blank=True, multiline=True)
    captcha = Text(max_length=4096, required=False, allow_blank=True)


class LoginInput(_CookieInput):
    """A log-in; `login` is an e-mail address or a username."""

    login = Text(max_length=254)
    password = password_field()
    otp = Text(max_length=40, required=False)


class LinkInput(Input):
    """What the provider sent back with the user."""

    code = Text(max_length=2048)
    state = Text(max_length=2048)
    redirect_uri = Text(max_length=500)


class SocialInput(LinkInput, _CookieInput):
    """What the provider sent back, for a log-in; `otp` where the account has an authenticator app."""

    otp = Text(max_length=40, required=False)


class RefreshInput(Input):
    """A refresh token; if missing, the one in the cookie is used."""

    refresh = Text(max_length=_MAX_TOKEN, required=False)


class KeyInput(Input):
    """A key from a mail."""

    key = Text(max_length=_MAX_KEY)


class ResendInput(Input):
    """All optional: without a token, an earlier key, which may have expired, identifies the account.

    `email` has no effect: the mail goes to the address that is not verified yet.
    """

    key = Text(max_length=_MAX_KEY, required=False)
    email = Text(max_length=254, required=False)


class EmailInput(Input):
    """An e-mail address."""

    email = Text(max_length=254)


class MeInput(Input):
    """The fields of the own account that can be changed."""

    email = Text(max_length=254, required=False)
    username = Text(max_length=30, required=False, trim_whitespace=False)


class ResetInput(Input):
    """A key from a mail and the new password."""

    key = Text(max_length=_MAX_KEY)
    password = password_field()


class ChangePasswordInput(Input):
    """The present and the new password."""

    password = password_field()
    new_password = password_field()


class DeleteInput(Input):
    """The present password; not needed in a confirmed session."""

    password = password_field(required=False)


class CodeInput(Input):
    """A code from the authenticator app, or a recovery code."""

    code = Text(max_length=40)


class OptionalCodeInput(Input):
    """A code from the authenticator app, or a recovery code; not needed if a second factor confirmed the session."""

    code = Text(max_length=40, required=False)


class ConfirmInput(Input):
    """One proof of being the owner: the password, a one-time password, a passkey's answer, or a mailed code."""

    password = password_field(required=False)
    otp = Text(max_length=40, required=False)
    passkey = serializers.DictField(required=False)
    code = Text(max_length=40, required=False)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of them."""
        if len(fields) != 1:
            raise serializers.ValidationError("Send one of password, otp, passkey and code.", code="one_needed")
        if isinstance(fields.get("passkey", {}).get("credential"), dict):
            return {"passkey": fields["passkey"]["credential"]}
        return fields


class _Credential(serializers.Serializer[Any]):
    """A public key credential as browsers write it (`toJSON`). Source: Web Authentication level 3, 5.1.8."""

    id = Text(max_length=2048)
    rawId = Text(max_length=2048)  # noqa: N815 (the standard's name)
    type = Text(max_length=20)
    response = serializers.DictField()
    authenticatorAttachment = Text(max_length=40, required=False, allow_null=True)  # noqa: N815
    clientExtensionResults = serializers.DictField(required=False)  # noqa: N815


class CredentialInput(_CookieInput):
    """A credential, in the member `credential` or at the top level; `name` is its owner's name for a new passkey."""

    name = Text(max_length=100, required=False, allow_blank=True)
    credential = _Credential()

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; a credential's top-level members are collected into `credential`."""
        if isinstance(data, dict) and "credential" not in data:
            own = {name: data[name] for name in ("name", "cookie") if name in data}
            data = {**own, "credential": {name: value for name, value in data.items() if name not in own}}
        values = super().to_internal_value(data)
        values["credential"] = dict(values["credential"])
        return values


class UserBody(serializers.Serializer[Account]):
    """An account; `email` and `pending_email` only for its owner and staff."""

    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.CharField(required=False)
    pending_email = serializers.CharField(required=False, allow_null=True)
    email_verified = serializers.BooleanField()
    roles = serializers.ListField(child=serializers.CharField())
    oauth_provider = serializers.CharField()
    created_at = serializers.DateTimeField()


class LoggedInBody(serializers.Serializer[LoggedIn]):
    """An account and its first tokens; no `refresh` if it was requested as a cookie."""

    user = UserBody()
    access = serializers.CharField()
    refresh = serializers.CharField(required=False)


class TokensBody(serializers.Serializer[Tokens]):
    """A new pair of tokens; no `refresh` if it came from the cookie."""

    access = serializers.CharField()
    refresh = serializers.CharField(required=False)


class PendingBody(serializers.Serializer[object]):
    """An account that is pending approval."""

    status = serializers.CharField()
    user = UserBody()


class AuthorizeBody(serializers.Serializer[object]):
    """Where to send the user; `state` must come back unchanged."""

    authorize_url = serializers.CharField()
    state = serializers.CharField()


class LinkedProviderBody(serializers.Serializer[object]):
    """A provider that the account can log in with."""

    provider = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()


class TotpBody(serializers.Serializer[object]):
    """Whether log-in requires a code from an authenticator app."""

    enabled = serializers.BooleanField()


class TotpSecretBody(serializers.Serializer[object]):
    """What an authenticator app needs."""

    secret = serializers.CharField()
    otpauth_url = serializers.CharField()


class RecoveryCodesBody(serializers.Serializer[object]):
    """Codes that each replace a code of the authenticator app once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class ChallengeBody(serializers.Serializer[Challenge]):
    """A proof of work before sign-up: find a number such that the SHA-256 of "<challenge>:<number>" begins with
    `difficulty` zero bits."""

    challenge = serializers.CharField()
    difficulty = serializers.IntegerField()
    expires_in = serializers.IntegerField()


class PasskeyOptionsBody(serializers.Serializer[object]):
    """The options of `navigator.credentials.create` or `.get`, in the standard's JSON form."""

    publicKey = serializers.DictField()  # noqa: N815 (the standard's name)


class PasskeyBody(serializers.Serializer[object]):
    """A passkey."""

    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class ConfirmedBody(serializers.Serializer[object]):
    """Until when the session is confirmed for sensitive changes."""

    confirmed_until = serializers.DateTimeField()


class SessionBody(serializers.Serializer[object]):
    """A session on a device; `current` marks the one of this request, `kind` is api or site (the admin site)."""

    id = serializers.CharField()
    current = serializers.BooleanField()
    kind = serializers.CharField()
    device = serializers.CharField()
    user_agent = serializers.CharField()
    address = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()


class ErasureStartedBody(serializers.Serializer[object]):
    """Where to follow the progress."""

    erasure_id = serializers.CharField()


class ErasedPartBody(serializers.Serializer[object]):
    """One context's part; `erased_at` is null until it is erased."""

    # "context" itself is an attribute of every serializer.
    name = serializers.CharField()
    erased_at = serializers.DateTimeField(allow_null=True)


class ErasureBody(serializers.Serializer[ErasureProgress]):
    """The progress of an erasure; `status` is scheduled, running or complete, `certificate` a signed statement."""

    id = serializers.CharField()
    status = serializers.CharField()
    requested_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    contexts = ErasedPartBody(many=True)
    certificate = serializers.CharField(allow_null=True)


class ExportBody(serializers.Serializer[ExportState]):
    """An export; `status` is processing, ready or failed, `url` the link to the archive once it is ready."""

    id = serializers.CharField()
    status = serializers.CharField()
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(allow_null=True)


class KeySetBody(serializers.Serializer[object]):
    """A JSON Web Key Set. Source: RFC 7517."""

    keys = serializers.ListField(child=serializers.DictField())


class InstanceBody(serializers.Serializer[object]):
    """Public facts about this installation."""

    name = serializers.CharField()
    description = serializers.CharField()
    rules = serializers.ListField(child=serializers.CharField())
    registration = serializers.CharField()
    providers = serializers.ListField(child=serializers.CharField())
    captcha = serializers.DictField(allow_null=True)
    push_key = serializers.CharField()
    limits = serializers.DictField()
    contact = serializers.CharField()
