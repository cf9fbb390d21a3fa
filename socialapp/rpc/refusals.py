"""Who may not write, and what may not be written: checked before a post, comment or profile is accepted."""

import structlog
from django.conf import settings

from socialapp.contracts.auth import Auth
from socialapp.contracts.moderation import Moderation
from socialapp.contracts.users import Author
from socialapp.core.errors import Forbidden, Invalid, Unavailable
from socialapp.core.text.urls import link_hosts
from socialapp.rpc.calls import client

log = structlog.get_logger()


def refuse_unverified(*, author_id: int) -> None:
    """Forbidden while the author has not verified their e-mail address, if VERIFIED_EMAIL_TO_POST requires it.

    One call, or none if the setting is off; Unavailable if auth does not respond.
    """
    if settings.VERIFIED_EMAIL_TO_POST and not client(Auth).user(user_id=author_id).email_verified:
        raise Forbidden("open the link that was mailed to you first: it proves your address", code="email_unverified")


def refuse_limited(author: Author, *, content: str, has_media: bool) -> None:
    """Forbidden if moderators have limited the account so that it may not write, or not with links or media."""
    if author.limited:
        raise Forbidden("a moderator has limited this account: it may not write for now", code="account_limited")
    if author.links_limited and link_hosts(content):
        raise Forbidden("a moderator has limited this account: it may not post links for now", code="links_limited")
    if author.media_limited and has_media:
        raise Forbidden("a moderator has limited this account: it may not post media for now", code="media_limited")


def screen_text(
    context: str, *, author_id: int, content: str, target_type: str, target_id: int = 0, field: str = "content"
) -> bool:
    """Whether a rule holds a text for a moderator; Invalid, naming `field`, if a rule rejects it.

    `target_id` is 0 for new content, and the author's id is 0 during sign-up. If moderation does not respond, its rules
    are applied afterwards.
    """
    try:
        screening = client(Moderation).screening(
            author_id=author_id, text=content, target_type=target_type, target_id=target_id
        )
    except Unavailable as error:
        log.warning(f"{context}.rules_unknown", error=str(error))
        return False
    if screening.refusal:
        raise Invalid.of(field, "refused_by_rule", screening.refusal)
    return screening.is_held
