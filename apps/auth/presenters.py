"""Response bodies, and records of the bulk export."""

from django.conf import settings

from apps.auth.models import User
from apps.auth.queries import (
    Account,
    ErasureProgress,
    ExportState,
    LinkedProvider,
    LoggedIn,
    Passkey,
    SessionSummary,
    Tokens,
)
from socialapp.contracts.bulk import Record

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


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
        body["pending_email"] = account.pending_email
    return body


def logged_in_body(logged_in: LoggedIn) -> dict[str, object]:
    """The response to registering and logging in."""
    return {
        "user": user_body(logged_in.account, with_email=True),
        "access": logged_in.access,
        "refresh": logged_in.refresh,
    }


def pending_body(account: Account) -> dict[str, object]:
    """The response to registering where staff approve accounts."""
    return {"status": account.status, "user": user_body(account, with_email=True)}


def tokens_body(tokens: Tokens) -> dict[str, object]:
    """The pair of tokens."""
    return {"access": tokens.access, "refresh": tokens.refresh}


def session_body(session: SessionSummary, *, current_id: int) -> dict[str, object]:
    """The API's session."""
    return {
        "id": str(session.id),
        "current": session.id == current_id,
        "kind": session.kind,
        "device": device_name(session.user_agent),
        "user_agent": session.user_agent,
        "address": session.address,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
    }


def device_name(user_agent: str) -> str:
    """The name of a device as people know it: "Firefox on Linux"; the user agent's own name for others."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent.partition("/")[0][:50] or "unknown"


def passkey_body(passkey: Passkey) -> dict[str, object]:
    """The API's passkey."""
    return {
        "id": str(passkey.id),
        "name": passkey.name,
        "created_at": passkey.created_at,
        "last_used_at": passkey.last_used_at,
    }


def linked_provider_body(linked: LinkedProvider) -> dict[str, object]:
    """A provider that the account can log in with."""
    return {"provider": linked.provider, "name": linked.name, "created_at": linked.created_at}


def erasure_body(progress: ErasureProgress) -> dict[str, object]:
    """The API's erasure, without personal data."""
    return {
        "id": str(progress.id),
        "status": progress.status,
        "requested_at": progress.requested_at,
        "due_at": progress.due_at,
        "completed_at": progress.completed_at,
        "contexts": [{"name": name, "erased_at": erased_at} for name, erased_at in progress.erased.items()],
        "certificate": progress.certificate,
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


def instance_body(*, rules: list[str]) -> dict[str, object]:
    """Public facts about this installation."""
    return {
        "name": settings.INSTANCE_NAME,
        "description": settings.INSTANCE_DESCRIPTION,
        "rules": rules,
        "registration": settings.REGISTRATION,
        "providers": [name for name, config in settings.SOCIAL_PROVIDERS.items() if config["client_id"]],
        "captcha": _captcha(),
        "push_key": settings.VAPID_PUBLIC_KEY,
        "limits": {
            "content": 5000,
            "media": {"attachments": 4, "description": 1500},
            "username": {"min": 3, "max": 30},
            "password": {"min": 8, "max": 256},
            "bio": 500,
            "full_name": 100,
        },
        "contact": settings.INSTANCE_CONTACT,
    }


def _captcha() -> dict[str, str] | None:
    if not settings.CAPTCHA_PROVIDER:
        return None
    return {"provider": settings.CAPTCHA_PROVIDER, "site_key": settings.CAPTCHA_SITE_KEY}


def user_record(user: User) -> Record:
    """Auth's part of a `user` record. Format: docs/records.md."""
    return {
        "id": str(user.id),
        "username": user.username,
        "email": user.email,
        "password_hash": user.password,
        "email_verified": user.email_verified,
        "created_at": user.created_at.isoformat(),
        "full_name": user.full_name,
    }
