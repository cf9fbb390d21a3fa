"""Admin pages of sessions and signing keys."""

from django.contrib import admin

from apps.auth.models import (
    Session,
    SigningKey,
)
from socialapp.http.admin import ContextModelAdmin


@admin.register(Session)
class SessionAdmin(ContextModelAdmin[Session]):
    """Sessions."""

    list_display = ("id", "user", "kind", "user_agent", "address", "created_at", "last_used_at", "ended_at")
    list_select_related = ("user",)
    list_filter = ("ended_at",)
    search_fields = ("=id", "user__username_key", "address")
    exclude = ("token_digest", "previous_digest", "successor", "address_digest", "code_digest")


@admin.register(SigningKey)
class SigningKeyAdmin(ContextModelAdmin[SigningKey]):
    """The keys of tokens and certificates."""

    is_internal = True
    list_display = ("id", "kid", "created_at", "signs_from")
    search_fields = ("kid",)
    exclude = ("private_key",)
