"""What auth does when something happened elsewhere: bans, and erasures that others report as done."""

from apps.auth import actions
from socialapp.contracts.auth import AuthErased, UserDeleted
from socialapp.contracts.base import event_type
from socialapp.contracts.comments import CommentsErased
from socialapp.contracts.metrics import MetricsErased
from socialapp.contracts.moderation import ModerationErased, UserSanctioned
from socialapp.contracts.notifications import NotificationsErased
from socialapp.contracts.posts import PostsErased
from socialapp.contracts.reactions import ReactionsErased
from socialapp.contracts.search import SearchErased
from socialapp.contracts.users import UsersErased
from socialapp.messaging.registry import handles

Erased = (
    AuthErased
    | UsersErased
    | PostsErased
    | CommentsErased
    | ReactionsErased
    | NotificationsErased
    | SearchErased
    | MetricsErased
    | ModerationErased
)


@handles(UserDeleted)
def erase_account(event: UserDeleted) -> None:
    """Erases auth's own part."""
    actions.erase_account(user_id=event.user_id, erasure_id=event.erasure_id)


@handles(
    AuthErased,
    UsersErased,
    PostsErased,
    CommentsErased,
    ReactionsErased,
    NotificationsErased,
    SearchErased,
    MetricsErased,
    ModerationErased,
)
def note_erased(event: Erased) -> None:
    """Notes that the event's producer has erased its part."""
    actions.acknowledge_erasure(erasure_id=event.erasure_id, context=event_type(type(event)).producer)


@handles(UserSanctioned)
def apply_sanction(event: UserSanctioned) -> None:
    """Bans and unbans; a warning changes nothing here."""
    if event.kind in ("ban", "unban"):
        actions.apply_sanction(user_id=event.user_id, banned=event.kind == "ban", at=event.at)
