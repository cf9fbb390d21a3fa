"""Admin pages of credentials: addresses, linked accounts, second factors, passkeys."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group

from apps.auth.models import (
    PasskeyChallenge,
    RecoveryCode,
    TotpDevice,
)
from socialapp.http.admin import ContextModelAdmin

for _model in (EmailAddress, Group, SocialAccount, SocialApp, SocialToken, Authenticator):
    if admin.site.is_registered(_model):  # elsewhere, with forms that would write behind the actions
        admin.site.unregister(_model)


@admin.register(EmailAddress)
class EmailAddressAdmin(ContextModelAdmin[EmailAddress]):
    """The addresses of accounts; the pending ones are not primary."""

    is_internal = True
    list_display = ("id", "user", "email", "verified", "primary")
    list_select_related = ("user",)
    list_filter = ("verified", "primary")
    search_fields = ("email", "user__username_key")


@admin.register(SocialAccount)
class SocialAccountAdmin(ContextModelAdmin[SocialAccount]):
    """The accounts at providers that people have linked."""

    list_display = ("id", "user", "provider", "date_joined")
    list_select_related = ("user",)
    list_filter = ("provider",)
    search_fields = ("user__username_key",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ContextModelAdmin[Authenticator]):
    """Second factors and passkeys; their secrets are never shown."""

    is_internal = True
    list_display = ("id", "user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__username_key",)
    exclude = ("data",)


@admin.register(TotpDevice)
class TotpDeviceAdmin(ContextModelAdmin[TotpDevice]):
    """Authenticator apps that are being set up."""

    is_internal = True
    list_display = ("id", "user", "created_at", "confirmed_at")
    list_select_related = ("user",)
    list_filter = ("confirmed_at",)
    search_fields = ("user__username_key",)
    exclude = ("secret",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ContextModelAdmin[RecoveryCode]):
    """Recovery codes issued before allauth stored them."""

    is_internal = True
    list_display = ("id", "user", "created_at")
    list_select_related = ("user",)
    list_filter = ("created_at",)
    search_fields = ("user__username_key",)
    exclude = ("digest",)


@admin.register(PasskeyChallenge)
class PasskeyChallengeAdmin(ContextModelAdmin[PasskeyChallenge]):
    """Log-ins and registrations with passkeys that are in progress."""

    is_internal = True
    list_display = ("id", "user", "expires_at")
    list_select_related = ("user",)
    list_filter = ("expires_at",)
    search_fields = ("user__username_key",)
    exclude = ("digest", "state")
