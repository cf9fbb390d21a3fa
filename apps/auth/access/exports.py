"""Who may fetch the archive of an export: who holds a link of the session that asked for it."""

from django.core import signing

from apps.auth.queries import ExportOwner, account, export_owner, is_live_session
from socialapp.core.errors import NotFound

_ARCHIVE_SALT = "socialapp.auth.export"
_ARCHIVE_LINK_SECONDS = 300


def archive_key(export_id: int) -> str:
    """A key that opens the archive of an export for minutes: a browser that follows a link sends no token."""
    return signing.dumps(export_id, salt=_ARCHIVE_SALT)


def check_archive_key(export_id: int, *, key: str) -> None:
    """NotFound unless the key was made for this export minutes ago and the session that asked for it still lasts."""
    try:
        made_for = signing.loads(key, salt=_ARCHIVE_SALT, max_age=_ARCHIVE_LINK_SECONDS)
    except signing.BadSignature:
        made_for = None
    owner = export_owner(export_id) if made_for == export_id else None
    if owner is None or not _still_lasts(owner):
        raise NotFound("this link is not valid any more")


def _still_lasts(owner: ExportOwner) -> bool:
    if owner.session_id is None:
        return account(owner.user_id).status == "banned"
    return is_live_session(owner.session_id, user_id=owner.user_id)
