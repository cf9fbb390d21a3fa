"""Access to export archives: by short-lived links, bound to the session that requested the export."""

from django.core import signing

from apps.auth.queries import ExportOwner, account, export_owner, is_live_session
from socialapp.core.errors import NotFound

_ARCHIVE_SALT = "socialapp.auth.export"
_ARCHIVE_LINK_SECONDS = 300


def archive_key(export_id: int) -> str:
    """A short-lived key that opens the archive of an export: browsers send no token when they follow a link."""
    return signing.dumps(export_id, salt=_ARCHIVE_SALT)


def check_archive_key(export_id: int, *, key: str) -> None:
    """NotFound unless the key is for this export, has not expired, and the session that requested it is still live."""
    try:
        made_for = signing.loads(key, salt=_ARCHIVE_SALT, max_age=_ARCHIVE_LINK_SECONDS)
    except signing.BadSignature:
        made_for = None
    owner = export_owner(export_id) if made_for == export_id else None
    if owner is None or not _still_lasts(owner):
        raise NotFound("this link is no longer valid")


def _still_lasts(owner: ExportOwner) -> bool:
    if owner.session_id is None:
        return account(owner.user_id).status == "banned"
    return is_live_session(owner.session_id, user_id=owner.user_id)
