"""Admin pages of erasures and exports of accounts."""

from django.contrib import admin

from apps.auth.models import (
    Erasure,
    ErasureAck,
    Export,
)
from socialapp.http.admin import ContextModelAdmin


class _AckInline(admin.TabularInline[ErasureAck, Erasure]):
    model = ErasureAck
    extra = 0
    can_delete = False
    readonly_fields = ("context", "erased_at")
    fields = ("context", "erased_at")


@admin.register(Erasure)
class ErasureAdmin(ContextModelAdmin[Erasure]):
    """Erasures and their progress."""

    list_display = ("id", "user_id", "requested_at", "asked_at", "completed_at")
    list_filter = ("completed_at",)
    search_fields = ("=id", "=user__id")
    inlines = (_AckInline,)


@admin.register(ErasureAck)
class ErasureAckAdmin(ContextModelAdmin[ErasureAck]):
    """Which context has erased its data when."""

    is_internal = True
    list_display = ("id", "erasure_id", "context", "erased_at")
    list_filter = ("context",)
    search_fields = ("=erasure__id",)


@admin.register(Export)
class ExportAdmin(ContextModelAdmin[Export]):
    """Requested archives; their storage keys are never shown."""

    list_display = ("id", "user", "status", "attempts", "requested_at", "expires_at")
    list_select_related = ("user",)
    list_filter = ("status",)
    search_fields = ("=id", "user__username_key")
    exclude = ("archive",)
