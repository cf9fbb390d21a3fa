"""Who may see an account."""

from apps.auth.queries import Account, account
from socialapp.contracts.users import Users
from socialapp.core.errors import NotFound
from socialapp.rpc.calls import client


def visible_account(user_id: int, *, viewer_id: int | None, is_staff: bool) -> Account:
    """The account, if the viewer may see it, else NotFound.

    Only staff and its owner see a banned one, or one in the grace period of its deletion.
    """
    found = account(user_id)
    is_hidden = found.status != "active" or found.is_deactivated
    if is_hidden and not is_staff and viewer_id != user_id:
        raise NotFound("there is no such user")
    return found


def require_no_block(user_id: int, *, viewer_id: int | None, is_staff: bool) -> None:
    """NotFound if this user blocks the viewer. One call with a token, a second one where there is a block."""
    if viewer_id in (None, user_id) or is_staff:
        return
    found = client(Users).audience(viewer_id=viewer_id, author_ids=[user_id]).authors
    # A block works both ways, but blockers can still look up whom they have blocked.
    if any(person.blocked for person in found) and not _sees_profile(viewer_id, user_id):
        raise NotFound("there is no such user")


def _sees_profile(viewer_id: int | None, user_id: int) -> bool:
    return bool(client(Users).profile_bodies(viewer_id=viewer_id, ids=[user_id]))
