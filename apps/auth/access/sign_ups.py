"""Refuses the sign-ups and usernames that moderators have blocked."""

import structlog

from apps.auth.queries import Account
from socialapp.contracts.moderation import Moderation
from socialapp.core.errors import Forbidden, Unavailable
from socialapp.rpc.calls import client
from socialapp.rpc.refusals import screen_text

log = structlog.get_logger()


def refuse_blocked_sign_up(*, email: str, address: str, username: str = "", full_name: str = "") -> None:
    """Forbidden if staff have blocked sign-ups from this e-mail domain or network address.

    Invalid if a word rule refuses a name. Allows everything while moderation is unavailable. Not for use inside a
    transaction.
    """
    try:
        is_refused = client(Moderation).sign_up_refused(email_domain=email.rpartition("@")[2], address=address)
    except Unavailable as error:
        log.warning("auth.sign_up_blocks_unknown", error=str(error))
        return
    if is_refused:
        raise Forbidden("sign-ups from this address are blocked", code="sign_up_blocked")
    for field, name in (("username", username), ("full_name", full_name)):
        if name:
            screen_text("auth", author_id=0, content=name, target_type="user", field=field)


def refuse_username(*, account: Account, username: str) -> None:
    """Invalid if a word rule refuses the account's new username. Not for use inside a transaction."""
    if username != account.username:
        screen_text("auth", author_id=account.id, content=username, target_type="user", field="username")
