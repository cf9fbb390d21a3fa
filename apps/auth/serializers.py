"""Input of auth's routes, its bodies, and the schema of what it answers."""

from rest_framework import serializers

from apps.auth.actions import SignedIn
from apps.auth.queries import Account, ErasureProgress, ExportState
from socialapp.http.fields import Input, Text

_MAX_PASSWORD = 256
_MAX_KEY = 500
_MAX_TOKEN = 4096


def _password() -> Text:
    return Text(max_length=_MAX_PASSWORD, trim_whitespace=False)


class RegisterInput(Input):
    """What an account is made of."""

    email = Text(max_length=254)
    password = _password()
    username = Text(max_length=30, trim_whitespace=False)
    full_name = Text(max_length=100, required=False, allow_blank=True)


class LoginInput(Input):
    """A log-in; `login` is an e-mail address or a username."""

    login = Text(max_length=254)
    password = _password()
    otp = Text(max_length=20, required=False)


class SocialInput(Input):
    """What the provider sent the user back with; `otp` where the account has an authenticator app."""

    code = Text(max_length=2048)
    state = Text(max_length=2048)
    redirect_uri = Text(max_length=500)
    otp = Text(max_length=20, required=False)


class RefreshInput(Input):
    """A refresh token."""

    refresh = Text(max_length=_MAX_TOKEN)


class KeyInput(Input):
    """A key from a mail."""

    key = Text(max_length=_MAX_KEY)


class ResendInput(Input):
    """Nothing is needed; whoever has an old key may send it along."""

    key = Text(max_length=_MAX_KEY, required=False)


class EmailInput(Input):
    """An e-mail address."""

    email = Text(max_length=254)


class MeInput(Input):
    """What of the own account can be changed."""

    email = Text(max_length=254, required=False)


class ResetInput(Input):
    """A key from a mail and the new password."""

    key = Text(max_length=_MAX_KEY)
    password = _password()


class ChangePasswordInput(Input):
    """The present and the new password."""

    password = _password()
    new_password = _password()


class PasswordInput(Input):
    """The present password, as a confirmation."""

    password = _password()


class CodeInput(Input):
    """A code from the authenticator app, or a recovery code."""

    code = Text(max_length=20)


class UserBody(serializers.Serializer[Account]):
    """An account; `email` only for itself and staff."""

    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.CharField(required=False)
    email_verified = serializers.BooleanField()
    roles = serializers.ListField(child=serializers.CharField())
    oauth_provider = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class SignedInBody(serializers.Serializer[SignedIn]):
    """An account and its first tokens."""

    user = UserBody()
    access = serializers.CharField()
    refresh = serializers.CharField()


class AuthorizeBody(serializers.Serializer[object]):
    """Where to send the user; `state` must come back unchanged."""

    authorize_url = serializers.CharField()
    state = serializers.CharField()


class TokensBody(serializers.Serializer[SignedIn]):
    """A new pair of tokens."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class TotpSecretBody(serializers.Serializer[object]):
    """What an authenticator app needs."""

    secret = serializers.CharField()
    otpauth_url = serializers.CharField()


class RecoveryCodesBody(serializers.Serializer[object]):
    """Codes that each stand in for the authenticator app once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class SessionBody(serializers.Serializer[object]):
    """A device signed in; `current` is the one that asks."""

    id = serializers.CharField()
    current = serializers.BooleanField()
    user_agent = serializers.CharField()
    address = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()


class ErasureStartedBody(serializers.Serializer[object]):
    """Where to look for the progress."""

    erasure_id = serializers.CharField()


class ErasedPartBody(serializers.Serializer[object]):
    """One context's part; `erased_at` is null until it is done."""

    # "context" itself is an attribute of every serializer.
    name = serializers.CharField()
    erased_at = serializers.DateTimeField(allow_null=True)


class ErasureBody(serializers.Serializer[ErasureProgress]):
    """How far an erasure has come; `status` is running or complete."""

    id = serializers.CharField()
    status = serializers.CharField()
    requested_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    contexts = ErasedPartBody(many=True)


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


def user_body(account: Account, *, with_email: bool) -> dict[str, object]:
    """The API's user."""
    body: dict[str, object] = {
        "id": str(account.id),
        "username": account.username,
        "email_verified": account.email_verified,
        "roles": account.roles,
        "oauth_provider": account.oauth_provider,
        "created_at": account.created_at,
    }
    if with_email:
        body["email"] = account.email
    return body


def signed_in_body(signed_in: SignedIn) -> dict[str, object]:
    """The answer to registering and logging in."""
    return {"user": user_body(signed_in.account, with_email=True), **tokens_body(signed_in)}


def tokens_body(signed_in: SignedIn) -> dict[str, object]:
    """The pair of tokens."""
    return {"access": signed_in.access, "refresh": signed_in.refresh}


def erasure_body(progress: ErasureProgress) -> dict[str, object]:
    """The API's erasure: nothing in it names the account."""
    return {
        "id": str(progress.id),
        "status": "complete" if progress.completed_at else "running",
        "requested_at": progress.requested_at,
        "completed_at": progress.completed_at,
        "contexts": [{"name": name, "erased_at": erased_at} for name, erased_at in progress.erased.items()],
    }


def export_body(export: ExportState, *, url: str | None) -> dict[str, object]:
    """The API's export."""
    return {
        "id": str(export.id),
        "status": export.status,
        "requested_at": export.requested_at,
        "expires_at": export.expires_at,
        "url": url,
    }
