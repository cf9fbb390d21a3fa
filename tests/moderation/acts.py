"""A moderator's decisions about the thread."""

from typing import Any

from apps.moderation import actions
from apps.moderation.queries import Target
from tests.moderation.conftest import MODERATOR_ID, Thread


def act(thread: Thread, decision: str, target_type: str, **changes: Any) -> actions.Act:
    """A decision about Ann, her post, or Ben's comment."""
    targets = {
        "user": Target("user", int(thread.ann.id), int(thread.ann.id)),
        "post": Target("post", int(thread.post_id), int(thread.ann.id)),
        "comment": Target("comment", int(thread.comment_id), int(thread.ben.id)),
    }
    values: dict[str, Any] = {"moderator_id": MODERATOR_ID, "reason": "be kind", "note": "seen before", **changes}
    return actions.Act(decision=decision, target=targets[target_type], **values)
